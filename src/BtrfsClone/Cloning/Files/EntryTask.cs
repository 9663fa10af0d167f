using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>One entry to clone: where it is, what it is, and the buffers of the worker.</summary>
internal readonly unsafe struct EntryTask(
    WorkerBuffers buffers, DirectoryPair directory, Descriptor source, byte* sourceName, Statx* status,
    CancellationToken cancellation, Statx* old = null)
{
    public readonly WorkerBuffers Buffers = buffers;
    public readonly DirectoryPair Directory = directory;

    /// <summary>The open source; none if it is not opened.</summary>
    public readonly Descriptor Source = source;

    public readonly byte* SourceName = sourceName;
    public readonly Statx* Status = status;
    public readonly CancellationToken Cancellation = cancellation;

    /// <summary>The status of the existing entry that is to be replaced; null if it was not checked.</summary>
    public readonly Statx* Old = old;
}

/// <summary>The result of creating an entry.</summary>
internal struct MadeEntry
{
    public MadeEntry(in FileClone file) =>
        (Inode, Length, CopiedLength, SharedLength, UnpackedLength) =
            (file.Inode, (long)file.Status.Size, file.CopiedLength, file.SharedLength, file.UnpackedLength);

    /// <summary>Its inode number, if it may get further links or is recorded; otherwise 0.</summary>
    public ulong Inode;

    /// <summary>The length of a regular file.</summary>
    public long Length;

    /// <summary>The part of it that was copied and counted.</summary>
    public long CopiedLength;

    /// <inheritdoc cref="FileClone.SharedLength"/>
    public long SharedLength;

    /// <inheritdoc cref="FileClone.UnpackedLength"/>
    public long UnpackedLength;

    /// <summary>Nothing was created: the existing entry is not older, and it was requested to keep it then.</summary>
    public bool IsUpToDate;

    /// <summary>It was to be another link, but the first one was deleted or replaced.</summary>
    public bool FirstIsGone;
}
