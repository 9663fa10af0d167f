using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>One entry on its way: where it is, what it is, and who works on it.</summary>
internal readonly unsafe struct EntryTask(
    WorkerBuffers buffers, DirectoryPair directory, Descriptor source, byte* sourceName, Statx* status,
    CancellationToken cancellation, bool isTaken = false)
{
    public readonly WorkerBuffers Buffers = buffers;
    public readonly DirectoryPair Directory = directory;

    /// <summary>The open source; none of what is not opened.</summary>
    public readonly Descriptor Source = source;

    public readonly byte* SourceName = sourceName;
    public readonly Statx* Status = status;
    public readonly CancellationToken Cancellation = cancellation;

    /// <summary>Something was just seen under the name: what is made takes its place, and is not tried without.</summary>
    public readonly bool IsTaken = isTaken;
}

/// <summary>What was made of an entry.</summary>
internal struct MadeEntry
{
    public MadeEntry(in FileClone file) =>
        (Inode, Length, CopiedLength, SharedLength, UnpackedLength) =
            (file.Inode, (long)file.Status.Size, file.CopiedLength, file.SharedLength, file.UnpackedLength);

    /// <summary>Its number, of what may get further links or is recorded; else 0.</summary>
    public ulong Inode;

    /// <summary>Bytes that a regular file holds.</summary>
    public long Length;

    /// <summary>Bytes of these that were copied and counted.</summary>
    public long CopiedLength;

    /// <inheritdoc cref="FileClone.SharedLength"/>
    public long SharedLength;

    /// <inheritdoc cref="FileClone.UnpackedLength"/>
    public long UnpackedLength;

    /// <summary>Nothing was made: what is there is not older, and that was asked for.</summary>
    public bool IsUpToDate;

    /// <summary>What was to be a further link, and its first one is gone or is another file by now.</summary>
    public bool FirstIsGone;
}
