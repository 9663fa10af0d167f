using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>A regular file that is being cloned, and its state after each step.</summary>
internal unsafe struct FileClone
{
    /// <summary>Its name in the destination; valid as long as its memory.</summary>
    public byte* Name;

    /// <summary>The open source.</summary>
    public Descriptor Source;

    public Statx Status;

    /// <summary>The flags of the clone, once the source has been examined.</summary>
    public InodeFlags Flags;

    public bool HasXattrs;

    /// <summary>The mode to create the clone with.</summary>
    public uint Mode;

    /// <summary>The clone, once it is created, open for writing; otherwise none.</summary>
    public Descriptor Destination;

    /// <summary>The clone's own inode number, once it is filled, if further links to it may follow.</summary>
    public ulong Inode;

    /// <summary>Bytes that were copied to the clone and counted.</summary>
    public long CopiedLength;

    /// <summary>Bytes that the clone shares on another filesystem, as the source does on its own. Not counted yet.</summary>
    public long SharedLength;

    /// <summary>Bytes that are compressed at the source and not in the clone. Not counted yet.</summary>
    public long UnpackedLength;

    /// <summary>The copy of its content to another filesystem, if it was started; otherwise null.</summary>
    public IDisposable? Begun;

    /// <summary>The number of its bytes under writeback.</summary>
    public long BegunLength;

    public Failure Failure;
}

/// <summary>Small files of one directory that a worker clones together.</summary>
internal sealed unsafe class FileBatch(int capacity)
{
    // Eight give the same speedup as 32. A killed process can leave this many incomplete files.
    public const int MostFiles = 8;

    // A larger file gains nothing, and the others of its batch would wait for it, created and empty.
    private const ulong LargestFile = 1 << 20;

    // On another filesystem, one is written while the next is read.
    private const ulong LargestCarried = 16 << 20;

    private readonly FileClone[] _files = new FileClone[capacity];
    private int _count;

    public bool IsFull => _count == _files.Length;

    public Span<FileClone> Files => _files.AsSpan(0, _count);

    /// <summary>Whether a file may wait for others: not if it takes long, and not if further links wait for it.</summary>
    public static bool Takes(in Statx status, bool isCarried) =>
        status.LinkCount == 1 && status.Size <= (isCarried ? LargestCarried : LargestFile);

    public void Add(Descriptor source, in Statx status, byte* name)
    {
        ref FileClone file = ref _files[_count++];
        file.Name = name;
        file.Source = source;
        file.Status = status;
        file.Destination = Descriptor.None;
        file.CopiedLength = file.SharedLength = file.UnpackedLength = 0;
        file.Begun = null;
        file.BegunLength = 0;
        file.Failure = default;
    }

    public void Clear() => _count = 0;
}
