using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>A batch of the files that are read with FIEMAP, and the extents that one thread has read but not passed on yet.</summary>
/// <param name="collection">Receives the files and extents.</param>
/// <param name="trees">The trees of the search.</param>
/// <param name="report">Receives each file that cannot be read; on any thread.</param>
internal sealed class MapPart(Collection collection, FoundTrees trees, Action<BtrfsException> report)
{
    /// <summary>The maximum number of files of a batch.</summary>
    public const int MostFiles = 64;

    // The number of extents kept until they are passed on: of a fragmented file, no more than one call returns.
    private const int MostExtents = FiemapReader.MaxExtents;

    private readonly List<(WantedFile File, byte[] Path)> _wanted = [];
    private readonly List<MappedFile> _mapped = [];
    private readonly ExtentBatch _extents = new();
    private readonly ExtentBatch _batch = new();
    private readonly FiemapSource _source = new(new FiemapReader());

    /// <summary>Its position among all batches.</summary>
    public int Number { get; private set; }

    public int Count => _wanted.Count;

    /// <summary>Reuses this object for another batch.</summary>
    public void Start(int number)
    {
        Number = number;
        _wanted.Clear();
    }

    /// <summary>Adds a file to read, by its path as bytes.</summary>
    public void Add(in WantedFile file, byte[] path) => _wanted.Add((file, path));

    /// <summary>Reads all files.</summary>
    /// <param name="handOn">Called when the buffer is full, and at the end; it has to call <see cref="HandOn"/>.</param>
    public void Read(Action handOn)
    {
        foreach ((WantedFile file, byte[] path) in _wanted)
        {
            Read(file, path, handOn);
        }

        handOn();
    }

    /// <summary>Passes what was read on to the collection.</summary>
    public void HandOn()
    {
        int extent = 0;
        foreach (MappedFile file in _mapped)
        {
            if (!file.IsContinued)
            {
                collection.Begin(file.Entry);
            }

            PieceFlags flags = (file.Entry.Flags & FileFlags.NoChecksum) != 0 ? PieceFlags.NoChecksum : PieceFlags.None;
            for (; extent < file.ExtentsEnd; extent++)
            {
                collection.AddMapped(_extents[extent], flags);
            }

            if (file.End == MappedEnd.Failed)
            {
                collection.GiveUp();
            }
            else if (file.End == MappedEnd.Whole && collection.End())
            {
                collection.Keep(file.Entry.Name);
            }
        }

        _mapped.Clear();
        _extents.Clear();
    }

    private void Read(in WantedFile file, byte[] path, Action handOn)
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
                report(BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, Utf8Z.ToText(path)));
            }

            return;
        }

        using DescriptorScope closing = new(descriptor);
        bool isNoCow = trees[file.Tree].IsBtrfs && Sys.GetFlags(descriptor, out InodeFlags flags).Succeeded &&
            (flags & InodeFlags.NoCow) != 0;
        FileEntry entry = new()
        {
            Inode = file.Inode,
            Size = (long)status.Size,
            Name = file.Name,
            Version = FileByPath.VersionOf(status),
            Tree = file.Tree,
            Flags = isNoCow ? FileFlags.NoChecksum : FileFlags.None,
        };
        _source.Start(descriptor, Utf8Z.ToText(path), 0, long.MaxValue);
        Read(new MappedFile { Entry = entry }, handOn);
    }

    private void Read(MappedFile file, Action handOn)
    {
        while ((file.End = Fill()) == MappedEnd.None)
        {
            for (int i = 0; i < _batch.Count; i++)
            {
                _extents.Add(_batch[i]);
            }

            if (_extents.Count >= MostExtents)
            {
                _mapped.Add(file with { ExtentsEnd = _extents.Count });
                handOn();
                file.IsContinued = true;
            }
        }

        _mapped.Add(file with { ExtentsEnd = _extents.Count });
    }

    /// <summary>Reads the next extents of the file, and reports a failure.</summary>
    private MappedEnd Fill()
    {
        _batch.Clear();
        try
        {
            return _source.Fill(_batch) ? MappedEnd.None : MappedEnd.Whole;
        }
        catch (BtrfsException failure)
        {
            report(failure);
            return MappedEnd.Failed;
        }
    }

    /// <summary>How reading a file ended.</summary>
    private enum MappedEnd
    {
        /// <summary>It continues in the next entry.</summary>
        None,
        Whole,
        Failed,
    }

    /// <summary>A file, or a part of it, with the extents between the end of the previous entry and its own end.</summary>
    private struct MappedFile
    {
        public FileEntry Entry;
        public bool IsContinued;
        public int ExtentsEnd;
        public MappedEnd End;
    }
}
