using System.Buffers.Binary;

namespace BtrfsClone.Finding;

/// <summary>Flags of a file.</summary>
[Flags]
internal enum FileFlags
{
    None = 0,

    /// <summary>It has no checksums (NODATASUM).</summary>
    NoChecksum = 1,

    /// <summary>A part of it is stored in the metadata, or in an unknown format: it cannot be compared as a whole file.</summary>
    Partial = 2,
}

/// <summary>A regular file that is searched.</summary>
internal struct FileEntry
{
    public ulong Inode;

    /// <summary>In bytes.</summary>
    public long Size;

    /// <summary>The position of its name in the <see cref="FileTable"/>.</summary>
    public long Name;

    /// <summary>Its ctime, in nanoseconds since 1970: every change of the file changes it.</summary>
    public long Version;

    /// <summary>The number of its tree in the search.</summary>
    public int Tree;

    public FileFlags Flags;
}

/// <summary>The files that are searched, by number, and their names.</summary>
internal sealed class FileTable(WorkingMemory memory) : IDisposable
{
    /// <summary>The parent of a name that is a complete path.</summary>
    public const ulong Top = ulong.MaxValue;

    private const int HeadSize = sizeof(ulong) + sizeof(ushort);

    private readonly SpillList<FileEntry> _files = new(memory);
    private readonly SpillList<byte> _names = new(memory);

    public int Count => (int)_files.Count;

    public FileEntry this[int file] => _files[file];

    public int Add(in FileEntry file)
    {
        _files.Add(file);
        return checked((int)_files.Count) - 1;
    }

    /// <summary>Stores a name and its parent. Returns its position.</summary>
    public long AddName(ulong parent, ReadOnlySpan<byte> name)
    {
        long place = _names.Count;
        Span<byte> head = stackalloc byte[HeadSize];
        BinaryPrimitives.WriteUInt64LittleEndian(head, parent);
        BinaryPrimitives.WriteUInt16LittleEndian(head[sizeof(ulong)..], (ushort)name.Length);
        _names.Add(head);
        _names.Add(name);
        return place;
    }

    /// <summary>A stored name.</summary>
    public byte[] NameAt(long place, out ulong parent)
    {
        Span<byte> head = stackalloc byte[HeadSize];
        _names.Read(place, head);
        parent = BinaryPrimitives.ReadUInt64LittleEndian(head);
        byte[] name = new byte[BinaryPrimitives.ReadUInt16LittleEndian(head[sizeof(ulong)..])];
        _names.Read(place + HeadSize, name);
        return name;
    }

    /// <summary>The path of a name whose parents are stored too, up to a <see cref="Top"/>.</summary>
    public byte[] PathAt(long place)
    {
        byte[] path = NameAt(place, out ulong parent);
        while (parent != Top)
        {
            byte[] directory = NameAt((long)parent, out parent);
            path = directory is [.., (byte)'/'] ? [.. directory, .. path] : [.. directory, (byte)'/', .. path];
        }

        return path;
    }

    public void Dispose()
    {
        _files.Dispose();
        _names.Dispose();
    }
}
