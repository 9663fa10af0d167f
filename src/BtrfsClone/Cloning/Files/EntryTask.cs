using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>One entry on its way: where it is, what it is, and who works on it.</summary>
internal readonly unsafe struct EntryTask(
    WorkerBuffers buffers, DirectoryPair directory, Descriptor source, byte* sourceName, Statx* status,
    CancellationToken cancellation, Statx* old = null)
{
    public readonly WorkerBuffers Buffers = buffers;
    public readonly DirectoryPair Directory = directory;

    /// <summary>The open source; none of what is not opened.</summary>
    public readonly Descriptor Source = source;

    public readonly byte* SourceName = sourceName;
    public readonly Statx* Status = status;
    public readonly CancellationToken Cancellation = cancellation;

    /// <summary>What was just seen under the name, whose place is to be taken; null where nobody has looked.</summary>
    public readonly Statx* Old = old;
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
