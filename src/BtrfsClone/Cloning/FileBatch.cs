using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>A regular file that is being cloned, and what is known of it after each step.</summary>
internal unsafe struct FileClone
{
    /// <summary>Its name in the destination; valid as long as the memory is that it lies in.</summary>
    public byte* Name;

    /// <summary>The open source.</summary>
    public int Source;

    public Statx Status;

    /// <summary>What the source has, once it has been looked at.</summary>
    public InodeFlags Flags;

    public bool HasXattrs;

    /// <summary>The mode to create the clone with.</summary>
    public uint Mode;

    /// <summary>The clone, once it is created, open for writing; else negative.</summary>
    public int Destination;

    public Fault Fault;
}

/// <summary>Small files of one directory that a worker clones together.</summary>
internal sealed unsafe class FileBatch(int capacity)
{
    // Eight gain as much as 32 do. A killed process can leave as many unfinished.
    public const int MostFiles = 8;

    // A larger file gains nothing by it, and the others of its batch would wait for it, created and empty.
    private const ulong LargestFile = 1 << 20;

    private readonly FileClone[] _files = new FileClone[capacity];
    private int _count;

    public bool IsFull => _count == _files.Length;

    public Span<FileClone> Files => _files.AsSpan(0, _count);

    /// <summary>Whether a file may wait for others: neither for long, nor with further links that wait for it.</summary>
    public static bool Takes(in Statx status) => status.LinkCount == 1 && status.Size <= LargestFile;

    public void Add(int source, in Statx status, byte* name)
    {
        ref FileClone file = ref _files[_count++];
        file.Name = name;
        file.Source = source;
        file.Status = status;
        file.Destination = -1;
        file.Fault = default;
    }

    public void Clear() => _count = 0;
}
