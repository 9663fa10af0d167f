using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// The parent directories of a session's items and their clones. They stay open from one item to the next, so that many single
/// files in a row cost no more than their own calls.
/// </summary>
/// <param name="context">The context of the invocation.</param>
/// <param name="directories">Opens, creates and finishes directories.</param>
/// <param name="buffers">The caller's buffers.</param>
internal sealed class ItemParents(CloneContext context, DirectoryCloner directories, WorkerBuffers buffers)
{
    private readonly List<DirectoryPair> _chain = [];
    private string? _sourceTop;
    private string? _destinationTop;
    private (ulong Device, Descriptor Destination) _clonable;

    /// <summary>Gets the status of an item; if items are followed, that of the link's target.</summary>
    public Statx Find(string source)
    {
        CallResult result = Sys.Stat(source, follow: context.Options.Links != LinkMode.Keep, out Statx status);
        return result.Succeeded ? status : throw Failure.Source(SystemCall.Statx, result).OnPath().ToException(source);
    }

    /// <summary>Rejects an item that cannot or must not be cloned, before anything is written.</summary>
    public void Check(string source, in Statx status, CloneDestination destination, string target)
    {
        bool isDirectory = status.FileType == Sys.ModeDirectory;
        if (destination.IsForDirectory && !isDirectory)
        {
            throw new BtrfsException(BtrfsError.DestinationNotFound, target + "/");
        }

        string container = DestinationDirectory.Nearest(destination);
        if (isDirectory && Preconditions.IsAtOrBelow(container, status))
        {
            throw new BtrfsException(BtrfsError.DestinationInsideSource, target);
        }

        if (isDirectory && Sys.Stat(target, follow: false, out Statx old).Succeeded)
        {
            if (old.IsSameFileAs(status))
            {
                throw new BtrfsException(BtrfsError.DestinationInsideSource, target);
            }

            if (old.FileType != Sys.ModeDirectory)
            {
                throw new BtrfsException(
                    context.Created.Contains(old) ? BtrfsError.JustCreated : ErrorMeaning.OtherTypeInTheWay, target);
            }
        }

        if (context.Options.PointInTime ||
            ((isDirectory || status.FileType == Sys.ModeRegular) && context.Options.Reflink == ReflinkMode.Always))
        {
            CheckClonable(source, status, container, target);
        }
    }

    /// <summary>The pair that contains the item; missing directories on the destination's side are created.</summary>
    public DirectoryPair Enter(string source, CloneDestination destination)
    {
        string sourceTop = destination.RelativeBase ?? CloneDestination.ParentOf(source);
        string[] names = destination.RelativeBase is null ? [] : destination.RelativePathOf(source).Split('/')[..^1];
        int common = 0;
        while (common < names.Length && common + 1 < _chain.Count &&
            _chain[common + 1].Name.AsSpan().SequenceEqual(Utf8Z.From(names[common])))
        {
            common++;
        }

        if (_chain.Count == 0 || sourceTop != _sourceTop || destination.Directory != _destinationTop ||
            !IsStillThere(_chain[common], destination))
        {
            Leave();
            OpenTop(sourceTop, destination);
            common = 0;
        }

        LeaveTo(common + 1);
        for (int i = common; i < names.Length; i++)
        {
            byte[] name = Utf8Z.From(names[i]);
            var pair = new DirectoryPair(_chain[^1], name, name);
            Failure failure = directories.Open(buffers, pair);
            if (failure.Failed)
            {
                string path = _chain[^1].PathOf(failure.AtSource, name.AsSpan(..^1));
                throw failure.AtSource && IsSymlink(_chain[^1].Source, name)
                    ? new BtrfsException(
                        BtrfsError.SourceOutsideBase, path,
                        description: "a symbolic link between the base directory and the item is not followed")
                    : failure.ToException(path);
            }

            // It is used for one item after the other.
            pair.RecordsEntries = !pair.IsOfEarlierItem;
            _chain.Add(pair);
        }

        return _chain[^1];
    }

    /// <summary>Finishes and closes what is open.</summary>
    public void Leave()
    {
        LeaveTo(0);
        _clonable = default;
    }

    /// <summary>Whether the paths still lead to the open directories: they may be replaced between two items.</summary>
    private static bool IsStillThere(DirectoryPair pair, CloneDestination destination) =>
        (pair.InSnapshot || LeadsTo(new LookupPath(pair.SourcePath), pair.SourceStatus)) &&
        LeadsTo(destination.Lookup(pair.DestinationPath), pair.DestinationStatus);

    private static unsafe bool IsSymlink(Descriptor directory, byte[] name)
    {
        fixed (byte* text = name)
        {
            return !Sys.StatEntry(directory, text, out Statx status).Failed && status.FileType == Sys.ModeSymlink;
        }
    }

    private static bool LeadsTo(LookupPath path, in Statx directory) =>
        !path.Stat(out Statx status).Failed && status.IsSameFileAs(directory);

    private void LeaveTo(int count)
    {
        while (_chain.Count > count)
        {
            DirectoryPair pair = _chain[^1];
            _chain.RemoveAt(_chain.Count - 1);
            if (pair.Parent is not null)
            {
                Failure failure = directories.Finish(buffers, pair);
                if (failure.Failed)
                {
                    context.Report(failure, pair, []);
                }
            }

            pair.Close();
        }
    }

    private void OpenTop(string sourceTop, CloneDestination destination)
    {
        var top = new DirectoryPair(sourceTop, destination.Directory, destination.Lookup(destination.Directory))
        {
            Destination = DestinationDirectory.Open(destination),
        };
        Failure failure = DirectoryCloner.OpenTop(buffers, top, orPathOnly: true);
        if (failure.Failed)
        {
            top.Close();
            throw failure.ToException(failure.AtSource ? sourceTop : destination.Directory);
        }

        top.RecordsEntries = true;
        _chain.Add(top);
        _sourceTop = sourceTop;
        _destinationTop = destination.Directory;
    }

    private void CheckClonable(string source, in Statx status, string container, string target)
    {
        Descriptor known = _chain.Count > 0 && container == _destinationTop ? _chain[0].Destination : Descriptor.None;
        if (known.IsOpen && _clonable == (status.Device, known))
        {
            return;
        }

        // A file may be unreadable, or a device: its directory, which is on the same filesystem, is used instead.
        string place = status.FileType == Sys.ModeDirectory ? source : CloneDestination.ParentOf(source);
        _ = HeldDirectory.Open(place, out HeldDirectory? from);
        HeldDirectory? to = null;
        using (from)
        {
            _ = known.IsOpen ? CallResult.Success : HeldDirectory.Open(container, out to);
            using (to)
            {
                Descriptor destination = to?.Descriptor ?? known;
                if (from is not null && destination.IsOpen &&
                    ExtentSharing.WhyNot(from.Descriptor, status, destination) is { } error)
                {
                    throw new BtrfsException(error, target);
                }
            }
        }

        if (known.IsOpen)
        {
            _clonable = (status.Device, known);
        }
    }
}
