using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>A source directory and the destination directory that is made equal to it.</summary>
internal sealed class SyncPair : DirectoryPair
{
    private int _counterparts;
    private int _touched;
    private readonly object _sharing = new();
    private int _expected;

    /// <summary>A pair that <see cref="Begin"/> initializes.</summary>
    public SyncPair()
    {
    }

    /// <summary>The pair of top directories.</summary>
    public SyncPair(string sourcePath, string destinationPath)
        : base(sourcePath, destinationPath)
    {
    }

    /// <summary>A pair by its names.</summary>
    public SyncPair(DirectoryPair parent, byte[] sourceName, byte[] destinationName)
        : base(parent, sourceName, destinationName)
    {
    }

    /// <summary>In a dry run, the destination is missing, and everything below it too.</summary>
    public bool IsAbsent { get; set; }

    /// <summary>The differences between the directories themselves.</summary>
    public InodeDifference Difference { get; set; }

    /// <summary>Represents the directories that the pair currently has.</summary>
    public object Identity { get; private set; } = new();

    /// <summary>The number of entries of the destination, if it is known.</summary>
    public int? DestinationEntries { get; set; }

    /// <summary>How many of the source's entries have a counterpart.</summary>
    public int Counterparts => _counterparts;

    /// <summary>Something in the destination directory was changed, and thereby its times.</summary>
    public bool IsTouched => _touched != 0;

    public override bool IsOpen => IsAbsent ? ((Descriptor)Source).IsOpen : base.IsOpen;

    /// <summary>The pair's fraction of a walk, 0-1, minus what was given to its subdirectories.</summary>
    public double Share { get; private set; } = 1;

    /// <summary>A subdirectory was found, which will take its share.</summary>
    public void Expect() => Interlocked.Increment(ref _expected);

    public void AddCounterpart() => Interlocked.Increment(ref _counterparts);

    /// <summary>Opens the same two directories again, for code that closes the pair it has walked.</summary>
    /// <exception cref="BtrfsException">One of them cannot be opened.</exception>
    public unsafe SyncPair OpenAnother()
    {
        var pair = new SyncPair(SourcePath, DestinationPath)
        {
            SourceStatus = SourceStatus,
            DestinationStatus = DestinationStatus,
            SourceFlags = SourceFlags,
            DestinationFlags = DestinationFlags,
            HasXattrs = HasXattrs,
            InheritedFlags = InheritedFlags,
            InheritsXattrs = InheritsXattrs,
            IsForeign = IsForeign,
            IsAppendOnly = IsAppendOnly,
            InSnapshot = InSnapshot,
            Mounts = Mounts,
            Merged = Merged,
        };
        Failure failure = Reopen(Source, atSource: true, out Descriptor source);
        pair.Source = source;
        if (!failure.Failed)
        {
            failure = Reopen(Destination, atSource: false, out Descriptor destination);
            pair.Destination = destination;
        }

        if (!failure.Failed && InSnapshot)
        {
            failure = Reopen(Replaced, atSource: true, out Descriptor live);
            pair.Replaced = live;
        }

        if (failure.Failed)
        {
            pair.Close();
            throw failure.ToException(failure.AtSource ? SourcePath : DestinationPath);
        }

        return pair;
    }

    public void Touch() => Volatile.Write(ref _touched, 1);

    /// <summary>Resets it: nothing is known of it yet.</summary>
    public void Renew()
    {
        Difference = InodeDifference.None;
        DestinationEntries = null;
        _counterparts = _touched = 0;
    }

    public override void Begin(DirectoryPair parent, ReadOnlySpan<byte> name)
    {
        base.Begin(parent, name);
        IsAbsent = false;
        Identity = new object();
        _expected = 0;
        Share = ((SyncPair)parent).GiveShare();
        Renew();
    }

    /// <summary>Each subdirectory known by now gets as much as the pair itself.</summary>
    private double GiveShare()
    {
        lock (_sharing)
        {
            double part = Share / (Math.Max(_expected, 1) + 1);
            _expected--;
            Share -= part;
            return part;
        }
    }

    private static unsafe Failure Reopen(Descriptor directory, bool atSource, out Descriptor opened)
    {
        fixed (byte* itself = ".\0"u8)
        {
            CallResult result = Sys.OpenAt(
                directory, itself, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock, out opened);
            return !result.Failed ? default
                : atSource ? Failure.Source(SystemCall.OpenAt, result)
                : Failure.Destination(SystemCall.OpenAt, result);
        }
    }
}
