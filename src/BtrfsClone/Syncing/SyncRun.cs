using System.Collections.Concurrent;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>What all parts of a sync share, including the reporting of steps.</summary>
/// <param name="options">How to sync.</param>
/// <param name="context">The context for cloning.</param>
/// <param name="onChange">Receives each step, on the caller's thread; or null.</param>
internal sealed class SyncRun(SyncOptions options, CloneContext context, Action<SyncChange>? onChange)
{
    private volatile bool _metOtherVolume;
    private (ulong Source, ulong Destination) _volumes;
    private string _topName = "";

    public SyncOptions Options => options;

    public CloneContext Context => context;

    public SyncCounters Counters { get; } = new();

    /// <summary>A nested subvolume was included: changes in it are not visible in the tree of its parent subvolume.</summary>
    public bool MetOtherVolume => _metOtherVolume;

    /// <summary>
    /// The sources of files with several names that were created again: their other names have to become links to them, wherever
    /// they are.
    /// </summary>
    public ConcurrentBag<ulong> PlacedLinks { get; } = [];

    /// <summary>Whether steps are only reported, not carried out.</summary>
    public bool IsDry => options.DryRun;

    /// <summary>Records the subvolumes of the top directories.</summary>
    public void BeginAt(DirectoryPair top)
    {
        _volumes = (top.SourceStatus.Device, top.DestinationStatus.Device);
        _topName = CloneDestination.NameOf(top.SourcePath);
    }

    /// <summary>Checks whether two directories are in the subvolumes of the top directories.</summary>
    public void Meet(DirectoryPair pair)
    {
        if (_volumes != default && _volumes != (pair.SourceStatus.Device, pair.DestinationStatus.Device))
        {
            _metOtherVolume = true;
        }
    }

    /// <summary>Counts and reports a step.</summary>
    public void Add(
        SyncAction action, DirectoryPair pair, ReadOnlySpan<byte> name, EntryKind kind, long length = 0, long shared = 0)
    {
        Counters.Add(action);
        if (length > 0)
        {
            Counters.AddData(length, shared);
        }

        if (onChange is not null && action != SyncAction.Keep)
        {
            string path = name.IsEmpty ? pair.DestinationPath : pair.PathOf(atSource: false, name);
            var change = new SyncChange
            {
                Action = action.ToString(),
                Path = path,
                Kind = kind.ToString(),
                Length = length,
                SharedLength = shared,
            };
            context.Tell(() => onChange(change));
        }
    }

    /// <summary>Whether an entry is included.</summary>
    public bool IsWanted(DirectoryPair pair, ReadOnlySpan<byte> name, EntryKind kind)
    {
        bool isOurs = IsOurs(name, kind);
        if (isOurs || options.Filter is not { } filter)
        {
            return !isOurs;
        }

        DirectoryPair top = pair;
        while (top.Parent is SyncPair above)
        {
            top = above;
        }

        return filter(pair.NamesTo(top, _topName, name), kind);
    }

    /// <summary>Whether a directory and all of its parents are included.</summary>
    /// <param name="path">The names of its path from the top directory.</param>
    public bool IsWanted(FileName[] path)
    {
        string[] names = [_topName, .. path.Select(name => name.ToString())];
        for (int i = 0; i < path.Length; i++)
        {
            if (IsOurs(path[i].Span, EntryKind.Directory) ||
                options.Filter?.Invoke(names.AsSpan(0, i + 2), EntryKind.Directory) == false)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOurs(ReadOnlySpan<byte> name, EntryKind kind) =>
        kind == EntryKind.Directory && SnapshotFolder.Kind.HasName(name);
}
