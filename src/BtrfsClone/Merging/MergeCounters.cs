namespace BtrfsClone.Merging;

/// <summary>Running totals of one invocation. They can be read at any time, on any thread. Lengths are in bytes.</summary>
public sealed class MergeCounters
{
    private long _files;
    private long _deduped;
    private long _same;
    private long _inline;
    private long _different;
    private long _unshared;
    private long _failed;

    /// <summary>Files that exist on both sides and were completely processed.</summary>
    public long Files => Volatile.Read(ref _files);

    /// <inheritdoc cref="MergeResult.DedupedLength"/>
    public long DedupedLength => Volatile.Read(ref _deduped);

    /// <inheritdoc cref="MergeResult.SameLength"/>
    public long SameLength => Volatile.Read(ref _same);

    /// <inheritdoc cref="MergeResult.InlineLength"/>
    public long InlineLength => Volatile.Read(ref _inline);

    /// <inheritdoc cref="MergeResult.DifferentLength"/>
    public long DifferentLength => Volatile.Read(ref _different);

    /// <summary>
    /// The part of <see cref="DedupedLength"/> that nothing else used: the maximum that is freed, since only whole extents are
    /// freed, and compressed ones are smaller.
    /// </summary>
    public long UnsharedLength => Volatile.Read(ref _unshared);

    /// <summary>Failures; each was reported individually.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>All bytes that were processed.</summary>
    public long Length => DedupedLength + SameLength + InlineLength + DifferentLength;

    internal void AddFile(long different)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _different, different);
    }

    internal void AddDeduped(long length, bool shared)
    {
        Interlocked.Add(ref _deduped, length);
        Interlocked.Add(ref _unshared, shared ? 0 : length);
    }

    internal void AddInline(long length) => Interlocked.Add(ref _inline, length);

    internal void AddSame(long length) => Interlocked.Add(ref _same, length);

    internal void AddFailed() => Interlocked.Increment(ref _failed);
}
