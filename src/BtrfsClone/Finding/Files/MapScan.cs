using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>Brings files that a walk has found with the pieces that FIEMAP gives of them, for which each is opened.</summary>
internal sealed class MapScan(Collection collection, FoundTrees trees, FindContext context)
{
    private readonly ExtentBatch _batch = new();
    private readonly FiemapSource _source = new(new FiemapReader());

    /// <summary>Brings all files.</summary>
    public void Read(SortedReader<WantedFile> wanted)
    {
        WantedFile last = default;
        for (bool isFirst = true; wanted.Next(out WantedFile file); isFirst = false)
        {
            // Of a file with several names, one is enough.
            if (isFirst || file.Inode != last.Inode || file.Tree != last.Tree)
            {
                byte[] path = collection.Files.PathAt(file.Name);
                try
                {
                    Read(file, path);
                }
                catch (BtrfsException failure)
                {
                    context.Report(failure);
                }
            }

            last = file;
            context.Progress.SetFiles(collection.Files.Count);
            context.Pump();
        }
    }

    private void Read(in WantedFile file, byte[] path)
    {
        if (!collection.IsLongEnough(file.Size))
        {
            return;
        }

        CallResult result = FileByPath.Open(path, file.Inode, out Descriptor descriptor, out Statx status);
        if (result.Failed)
        {
            if (!FileOpener.IsGone(result))
            {
                throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, Utf8Z.ToText(path));
            }

            return;
        }

        using DescriptorScope closing = new(descriptor);
        Read(file, descriptor, status, Utf8Z.ToText(path));
    }

    private void Read(in WantedFile file, Descriptor descriptor, in Statx status, string path)
    {
        bool isNoCow = trees[file.Tree].IsBtrfs && Sys.GetFlags(descriptor, out InodeFlags flags).Succeeded &&
            (flags & InodeFlags.NoCow) != 0;
        collection.Begin(new FileEntry
        {
            Inode = file.Inode,
            Size = (long)status.Size,
            Version = FileByPath.VersionOf(status),
            Tree = file.Tree,
            Flags = isNoCow ? FileFlags.NoChecksum : FileFlags.None,
        });
        _source.Start(descriptor, path, 0, long.MaxValue);
        for (_batch.Clear(); _source.Fill(_batch); _batch.Clear())
        {
            for (int i = 0; i < _batch.Count; i++)
            {
                collection.AddMapped(_batch[i], isNoCow ? PieceFlags.NoChecksum : PieceFlags.None);
            }
        }

        if (collection.End())
        {
            collection.Keep(file.Name);
        }
    }
}
