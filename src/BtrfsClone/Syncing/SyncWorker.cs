using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>The buffers of one worker of a sync, and its comparers.</summary>
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
    /// Whether the directories of a pair are on one filesystem. Only then do the addresses of two files say anything about their
    /// content.
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

    /// <summary>Discards what was read from the trees.</summary>
    public void Refresh() => _inodes?.Forget();

    /// <summary>Compares entries of a pair of directories by the trees; null if those are not read.</summary>
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
