using System.Collections.Concurrent;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>What all parts of a sync share, and what each step is told to.</summary>
/// <param name="options">How to sync.</param>
/// <param name="context">What cloning shares.</param>
/// <param name="onChange">Takes each step, on the caller's thread; or null.</param>
internal sealed class SyncRun(SyncOptions options, CloneContext context, Action<SyncChange>? onChange)
{
    private volatile bool _metOtherVolume;
    private (ulong Source, ulong Destination) _volumes;
    private string _topName = "";

    public SyncOptions Options => options;

    public CloneContext Context => context;

    public SyncCounters Counters { get; } = new();

    /// <summary>A nested subvolume took part: what changes in it does not show in the tree of the one around it.</summary>
    public bool MetOtherVolume => _metOtherVolume;

    /// <summary>
    /// The sources of files with several names that were made anew: their other names have to become links to those,
    /// wherever they are.
    /// </summary>
    public ConcurrentBag<ulong> PlacedLinks { get; } = [];

    /// <summary>Whether steps are only told, and not carried out.</summary>
    public bool IsDry => options.DryRun;

    /// <summary>Tells which subvolumes the tops are in.</summary>
    public void BeginAt(DirectoryPair top)
    {
        _volumes = (top.SourceStatus.Device, top.DestinationStatus.Device);
        _topName = CloneDestination.NameOf(top.SourcePath);
    }

    /// <summary>Sees whether two directories are in the subvolumes of the tops.</summary>
    public void Meet(DirectoryPair pair)
    {
        if (_volumes != default && _volumes != (pair.SourceStatus.Device, pair.DestinationStatus.Device))
        {
            _metOtherVolume = true;
        }
    }

    /// <summary>Counts and tells a step.</summary>
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

    /// <summary>Whether an entry takes part.</summary>
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

    /// <summary>Whether a directory takes part, and all on the way to it do.</summary>
    /// <param name="path">The names on the way from the top.</param>
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
