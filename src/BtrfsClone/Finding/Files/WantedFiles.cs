using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>The files found by directory walks. Files may be added on several threads concurrently.</summary>
internal sealed class WantedFiles(FoundTrees trees, FileTable names, FindContext context) : IDisposable
{
    private readonly object _gate = new();
    private long _count;

    public FoundTrees Trees => trees;

    /// <summary>Which entries are included; an excluded directory is not entered.</summary>
    public EntryFilter? Filter => context.Options.Filter;

    /// <summary>Gets the size of each file.</summary>
    public bool WithSizes { get; init; }

    /// <summary>The files by tree and inode.</summary>
    public Sorter<WantedFile> Files { get; } = new(context.Memory);

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether everything below a directory can be read without walking it, because it is the root of a subvolume.</summary>
    public bool TakesWhole(in Statx status) =>
        trees.ByTree && Filter is null && status.Inode == Sys.SubvolumeRootInode && status.FileType == Sys.ModeDirectory;

    /// <summary>Adds an item by its path.</summary>
    /// <returns>The position of its name in the table.</returns>
    public long AddTop(string path)
    {
        lock (_gate)
        {
            return names.AddName(FileTable.Top, Utf8Z.From(path).AsSpan()[..^1]);
        }
    }

    public long AddName(long parent, ReadOnlySpan<byte> name)
    {
        lock (_gate)
        {
            return names.AddName((ulong)parent, name);
        }
    }

    /// <summary>The path of a name, as bytes.</summary>
    public byte[] PathAt(long name)
    {
        lock (_gate)
        {
            return names.PathAt(name);
        }
    }

    /// <summary>Adds a file that was given by path.</summary>
    public void Add(int tree, in Statx status, long name)
    {
        lock (_gate)
        {
            Files.Add(new WantedFile { Tree = tree, Inode = status.Inode, Name = name, Size = (long)status.Size });
            _count++;
        }
    }

    /// <summary>Adds the regular files of a batch of directory entries.</summary>
    public void Add(FoundDirectory directory, in DirectoryBatch batch)
    {
        Span<long> sizes = stackalloc long[DirectoryBatch.BufferSize / DirectoryEntry.NameOffset];
        if (WithSizes)
        {
            AskSizes(directory, batch, sizes);
        }

        lock (_gate)
        {
            int i = 0;
            foreach (DirectoryBatch.Entry entry in batch)
            {
                long size = sizes[i++];
                if (entry.Type == DirectoryEntry.TypeRegular)
                {
                    Files.Add(new WantedFile
                    {
                        Tree = directory.Tree,
                        Inode = entry.Inode,
                        Name = names.AddName((ulong)directory.NameInTable, entry.Name),
                        Size = size,
                    });
                    _count++;
                }
            }
        }
    }

    public void Dispose() => Files.Dispose();

    /// <summary>The sizes of regular files; 0 for deleted ones.</summary>
    private static unsafe void AskSizes(FoundDirectory directory, in DirectoryBatch batch, Span<long> sizes)
    {
        int i = 0;
        foreach (DirectoryBatch.Entry entry in batch)
        {
            Statx status = default;
            bool isThere = entry.Type == DirectoryEntry.TypeRegular &&
                Sys.StatEntry(directory.Descriptor, entry.NamePointer, out status).Succeeded;
            sizes[i++] = isThere ? (long)status.Size : 0;
        }
    }
}
