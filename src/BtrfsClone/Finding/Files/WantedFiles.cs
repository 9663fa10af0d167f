using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>The files that walks have found. May be added to on several threads at once.</summary>
internal sealed class WantedFiles(FoundTrees trees, FileTable names, FindContext context) : IDisposable
{
    private readonly object _gate = new();
    private long _count;

    public FoundTrees Trees => trees;

    /// <summary>Which entries are taken; a directory that is not is not entered.</summary>
    public EntryFilter? Filter => context.Options.Filter;

    /// <summary>Asks each file for its size.</summary>
    public bool WithSizes { get; init; }

    /// <summary>The files by tree and inode.</summary>
    public Sorter<WantedFile> Files { get; } = new(context.Memory);

    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether everything below a directory can be brought without walking it: it is the root of a subvolume.</summary>
    public bool TakesWhole(in Statx status) =>
        trees.ByTree && Filter is null && status.Inode == Sys.SubvolumeRootInode && status.FileType == Sys.ModeDirectory;

    /// <summary>Adds what was given by its path.</summary>
    /// <returns>Where its name is in the table.</returns>
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

    /// <summary>The path of a name, in bytes.</summary>
    public byte[] PathAt(long name)
    {
        lock (_gate)
        {
            return names.PathAt(name);
        }
    }

    /// <summary>Adds a file that was given by its path.</summary>
    public void Add(int tree, in Statx status, long name)
    {
        lock (_gate)
        {
            Files.Add(new WantedFile { Tree = tree, Inode = status.Inode, Name = name, Size = (long)status.Size });
            _count++;
        }
    }

    /// <summary>Adds the regular files of a listed part of a directory.</summary>
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

    /// <summary>The sizes of regular files; 0 for what has gone.</summary>
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
