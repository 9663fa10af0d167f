using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>
/// The directories of the destination, below one that the source does not have, that lead to entries excluded by the filter:
/// neither these entries nor the directories are removed.
/// </summary>
internal sealed unsafe class LeftOutBelow
{
    private const int BufferSize = 4096;

    private readonly SyncRun _run;
    private readonly SyncPair _outer;
    private readonly List<SyncPair> _found = [];
    private readonly HashSet<(DirectoryPair Parent, FileName Name)> _kept = [];

    /// <summary>Searches for them.</summary>
    /// <param name="run">The run.</param>
    /// <param name="outer">The directory that contains it, open at the destination.</param>
    /// <param name="name">The directory's name.</param>
    public LeftOutBelow(SyncRun run, SyncPair outer, ReadOnlySpan<byte> name)
    {
        (_run, _outer) = (run, outer);
        byte[] top = [.. name, 0];
        _found.Add(new SyncPair(outer, top, top));
        for (int i = 0; i < _found.Count && !Failure.Failed; i++)
        {
            Look(_found[i]);
        }
    }

    /// <summary>There are none: the directory may be removed.</summary>
    public bool IsNothing => _kept.Count == 0;

    /// <summary>Why the search could not be completed.</summary>
    public Failure Failure { get; private set; }

    /// <summary>Removes everything else, or reports it in a dry run.</summary>
    public Failure RemoveRest(EntryRemover remover)
    {
        Failure first = default;
        foreach (SyncPair pair in _found.Where(IsKept))
        {
            var names = new List<(byte[] Name, EntryKind Kind)>();
            Failure failure = ForEach(pair, (name, kind) =>
            {
                if (_run.IsWanted(pair, name, kind) && !_kept.Contains((pair, new FileName(name))))
                {
                    names.Add(([.. name, 0], kind));
                }
            });
            foreach ((byte[] name, EntryKind kind) in names)
            {
                if (_run.IsDry)
                {
                    _run.Add(SyncAction.Delete, pair, Utf8Z.Span(name), kind);
                    continue;
                }

                Failure removed = remover.Remove(pair, name, isCounted: true);
                failure = failure.Failed ? failure : removed;
            }

            pair.Close();
            first = first.Failed ? first : failure;
        }

        return first;
    }

    private bool IsKept(SyncPair pair) => _kept.Contains((pair.Parent!, new FileName(Utf8Z.Span(pair.Name))));

    private void Look(SyncPair pair)
    {
        Failure = ForEach(pair, (name, kind) =>
        {
            if (!_run.IsWanted(pair, name, kind))
            {
                for (DirectoryPair at = pair; at != _outer && Keep(at); at = at.Parent!)
                {
                }
            }
            else if (kind == EntryKind.Directory)
            {
                byte[] own = [.. name, 0];
                _found.Add(new SyncPair(pair, own, own));
            }
        });
        pair.Close();
    }

    private bool Keep(DirectoryPair pair) => _kept.Add((pair.Parent!, new FileName(Utf8Z.Span(pair.Name))));

    /// <summary>Opens a directory at the destination and lists it. Mounted filesystems are not entered.</summary>
    private Failure ForEach(SyncPair pair, EntryAction action)
    {
        Failure failure = PairPath.OpenBelow(_outer, pair);
        if (failure.Failed || pair.DestinationStatus.Device != _outer.DestinationStatus.Device)
        {
            return failure;
        }

        // The buffer of the walk may contain the names that it is processing.
        fixed (byte* buffer = new byte[BufferSize])
        {
            var listing = new DirectoryListing(pair.Destination, buffer, BufferSize);
            while (listing.Next(out DirectoryBatch.Entry entry))
            {
                action(entry.Name, EntryKinds.Of((uint)entry.Type << 12));
            }

            return listing.Failed ? Failure.Destination(listing.Call, listing.Result) : default;
        }
    }

    private delegate void EntryAction(ReadOnlySpan<byte> name, EntryKind kind);
}
