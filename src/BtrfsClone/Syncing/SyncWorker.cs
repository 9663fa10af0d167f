using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>The memory that one worker of a sync needs, and what it compares with.</summary>
internal sealed unsafe class SyncWorker(WorkerBuffers buffers, bool readsTrees) : IWalkBuffers
{
    private readonly InodeComparer? _inodes = readsTrees ? new InodeComparer() : null;
    private (ulong Source, ulong Destination) _asked;
    private bool _canShare;

    public bool ReadsTrees => readsTrees;

    public byte* Entries => buffers.Entries;

    public WorkerBuffers Cloning => buffers;

    public ListedNames Names { get; } = new();

    /// <summary>The source's inodes that are compared next.</summary>
    public List<ulong> Expected { get; } = [];

    public OpenComparer Opened { get; } = new(readsTrees);

    public FileRanges Ranges { get; } = new();

    public SpaceBeyondEnd BeyondEnd { get; } = new();

    /// <summary>
    /// Whether the directories of a pair are on one filesystem. Only there do the places of two files say something of their
    /// contents.
    /// </summary>
    public bool CanShare(DirectoryPair pair)
    {
        (ulong, ulong) devices = (pair.SourceStatus.Device, pair.DestinationStatus.Device);
        if (devices != _asked)
        {
            _asked = devices;
            _canShare = FileSystems.AreOne(
                pair.Source, pair.SourceStatus, pair.Destination, pair.DestinationStatus) ?? false;
        }

        return _canShare;
    }

    /// <summary>What was read of the trees is out of date.</summary>
    public void Refresh() => _inodes?.Forget();

    /// <summary>What compares entries of a pair of directories by the trees, or null where those are not read.</summary>
    public InodeComparer? InodesOf(DirectoryPair pair)
    {
        _inodes?.Use(pair);
        return _inodes;
    }

    public void Dispose()
    {
        Names.Dispose();
        Opened.Dispose();
        buffers.Dispose();
    }
}
