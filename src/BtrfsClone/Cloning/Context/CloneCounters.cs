namespace BtrfsClone.Cloning;

/// <summary>Running totals of one invocation. They can be read at any time, on any thread. Lengths are in bytes.</summary>
public sealed class CloneCounters
{
    private long _files;
    private long _directories;
    private long _symbolicLinks;
    private long _hardLinks;
    private long _specialFiles;
    private long _length;
    private long _copiedLength;
    private long _padding;
    private long _sharedLength;
    private long _unpackedLength;
    private long _lostMetadata;
    private long _failed;
    private bool _mixesNoCow;

    /// <summary>Called after some bytes have been copied, on any thread, since a single file may hold many.</summary>
    internal Action? OnCopied { get; init; }

    /// <summary>Regular files created.</summary>
    public long Files => Volatile.Read(ref _files);

    /// <summary>Directories created or merged into.</summary>
    public long Directories => Volatile.Read(ref _directories);

    /// <summary>Symbolic links created.</summary>
    public long SymbolicLinks => Volatile.Read(ref _symbolicLinks);

    /// <summary>Additional hard links created.</summary>
    public long HardLinks => Volatile.Read(ref _hardLinks);

    /// <summary>FIFOs, sockets and devices created.</summary>
    public long SpecialFiles => Volatile.Read(ref _specialFiles);

    /// <summary>The sum of the sizes of the regular files.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Bytes that were copied, not cloned.</summary>
    public long CopiedLength => Volatile.Read(ref _copiedLength);

    /// <summary>Bytes beyond the end of files, in the last blocks that were copied.</summary>
    internal long Padding => Volatile.Read(ref _padding);

    /// <inheritdoc cref="CloneResult.SharedLength"/>
    public long SharedLength => Volatile.Read(ref _sharedLength);

    /// <inheritdoc cref="CloneResult.UnpackedLength"/>
    public long UnpackedLength => Volatile.Read(ref _unpackedLength);

    /// <summary>Xattrs, ACLs, flags and other metadata that could not be preserved; see <see cref="CloneSession.Losses"/>.</summary>
    public long LostMetadata => Volatile.Read(ref _lostMetadata);

    /// <summary>The message about data that was copied, or null if none was.</summary>
    public string? CopiedDescription => CopiedLength == 0 && SharedLength == 0 ? null
        : $"{CopiedLength} bytes could not be shared and were copied." +
            (Volatile.Read(ref _mixesNoCow) ? " NOCOW files and copy-on-write files cannot share data." : "") +
            (SharedLength > 0 ? $" {SharedLength} more share what they hold at the destination as they do at the source." : "") +
            (UnpackedLength > 0 ? $" {UnpackedLength} that are compressed at the source were unpacked." : "");

    /// <summary>Entries that failed.</summary>
    public long Failed => Volatile.Read(ref _failed);

    internal void AddFile(long length)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _length, length);
    }

    internal void AddCarried(long shared, long unpacked)
    {
        Interlocked.Add(ref _sharedLength, shared);
        Interlocked.Add(ref _unpackedLength, unpacked);
    }

    internal void AddDirectory() => Interlocked.Increment(ref _directories);

    internal void AddSymbolicLink() => Interlocked.Increment(ref _symbolicLinks);

    internal void AddHardLink() => Interlocked.Increment(ref _hardLinks);

    internal void AddSpecialFile() => Interlocked.Increment(ref _specialFiles);

    internal void AddPadding(long length) => Interlocked.Add(ref _padding, length);

    internal void AddCopied(long length)
    {
        Interlocked.Add(ref _copiedLength, length);
        OnCopied?.Invoke();
    }

    /// <summary>Records that bytes were copied because only one of a file and its clone is NOCOW.</summary>
    internal void AddNoCowMismatch() => Volatile.Write(ref _mixesNoCow, true);

    internal void AddLostMetadata() => Interlocked.Increment(ref _lostMetadata);

    internal void AddFailed() => Interlocked.Increment(ref _failed);

    /// <summary>The current totals as a result; <see cref="Since"/> subtracts an earlier one.</summary>
    internal CloneResult Snapshot() => new()
    {
        Files = Files,
        Directories = Directories,
        SymbolicLinks = SymbolicLinks,
        HardLinks = HardLinks,
        SpecialFiles = SpecialFiles,
        Length = Length,
        CopiedLength = CopiedLength,
        SharedLength = SharedLength,
        UnpackedLength = UnpackedLength,
        LostMetadata = LostMetadata,
        Failed = Failed,
    };

    internal CloneResult Since(CloneResult before, string source, string path, EntryKind kind, TimeSpan elapsed) => new()
    {
        Source = source,
        Path = path,
        Kind = kind.ToString(),
        Files = Files - before.Files,
        Directories = Directories - before.Directories,
        SymbolicLinks = SymbolicLinks - before.SymbolicLinks,
        HardLinks = HardLinks - before.HardLinks,
        SpecialFiles = SpecialFiles - before.SpecialFiles,
        Length = Length - before.Length,
        CopiedLength = CopiedLength - before.CopiedLength,
        SharedLength = SharedLength - before.SharedLength,
        UnpackedLength = UnpackedLength - before.UnpackedLength,
        LostMetadata = LostMetadata - before.LostMetadata,
        Failed = Failed - before.Failed,
        Elapsed = elapsed,
    };
}
