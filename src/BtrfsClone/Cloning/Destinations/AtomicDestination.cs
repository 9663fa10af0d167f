using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// The destination of a session with <see cref="CloneOptions.Atomic"/>: a hidden folder in the nearest existing directory. At the
/// end its entries get their names there, or are removed.
/// </summary>
internal sealed class AtomicDestination(CloneContext context) : IDisposable
{
    /// <summary>The folder that everything is cloned to before it appears.</summary>
    public static readonly HiddenFolder.Kind FolderKind = new(".btrfs-clone-atomic."u8.ToArray(), TreeRemover.Empty);

    private CloneDestination? _destination;
    private (CloneDestination? For, CloneDestination? Place) _staged;
    private HeldDirectory? _container;
    private HiddenFolder? _folder;

    /// <summary>Something has failed outside the session: nothing is to appear.</summary>
    public bool HasFailed { get; set; }

    /// <summary>
    /// The staging destination for an item. It is created for the first item; an item that could not appear under its name is
    /// rejected before that.
    /// </summary>
    public CloneDestination Stage(string source, in Statx status, CloneDestination destination, string target)
    {
        if (_destination is not null && !_destination.IsBeside(destination))
        {
            throw new ArgumentException("All items of an atomic session go into one directory.", nameof(destination));
        }

        if (_container is null)
        {
            _destination = destination;
            _container = OpenContainer(DestinationDirectory.Nearest(destination));
        }

        CheckPlace(_container, source, status, target);
        if (_folder is null)
        {
            MakeFolder(_container);
        }

        if (_staged.For != destination)
        {
            _staged = (destination, destination.StagedIn(_folder!.Directory.Descriptor, _container.Path));
        }

        return _staged.Place!;
    }

    /// <summary>Gives everything that was staged its name, or removes it.</summary>
    /// <exception cref="BtrfsException">
    /// Something had failed, or one of the names was created by someone else in the meantime: nothing has appeared, except for what
    /// was reported.
    /// </exception>
    public void Complete(CancellationToken cancellation)
    {
        if (_folder is null)
        {
            return;
        }

        if (HasFailed)
        {
            Discard();
            throw new BtrfsException(BtrfsError.Incomplete, Target);
        }

        var rename = new AtomicRename(_folder, _container!, context);
        try
        {
            rename.Run(cancellation);
        }
        finally
        {
            Discard(rename.HoldsOthers);
        }
    }

    /// <summary>Removes everything that was staged and has not appeared.</summary>
    public void Dispose()
    {
        Discard();
        _container?.Dispose();
        _container = null;
    }

    private string Target => _destination!.NewName is { } name
        ? CloneDestination.Join(_destination.Directory, name)
        : _destination.Directory;

    private void Discard(bool holdsOthers = false)
    {
        if (_folder is null)
        {
            return;
        }

        // If the folder must not be emptied, a later run must not mistake it for a leftover, either.
        Failure failure = holdsOthers ? HiddenFolder.ClearMark(_folder.Directory.Descriptor) : _folder.Remove();
        if (failure.Failed)
        {
            context.Report(failure.Leaving(_folder.Directory.Path));
        }

        _folder.Dispose();
        _folder = null;
    }

    private static HeldDirectory OpenContainer(string path)
    {
        // Entries can be created in a directory even if it cannot be listed.
        CallResult result = HeldDirectory.Open(path, out HeldDirectory? container, orPathOnly: true);
        if (result.Failed)
        {
            throw Failure.Destination(SystemCall.OpenAt, result).OnPath().ToException(path);
        }

        if (!Sys.GetFlags(container!.Descriptor, out InodeFlags flags).Failed && flags.HasFlag(InodeFlags.AppendOnly))
        {
            // Nothing could be renamed or removed.
            container.Dispose();
            throw Failure.Destination(SystemCall.RenameAt2, Errno.EPERM).ToException(path);
        }

        return container;
    }

    private void MakeFolder(HeldDirectory container)
    {
        HiddenFolder.RemoveLeftovers(container, FolderKind);
        Failure failure = HiddenFolder.Create(container, FolderKind, context.Report, out _folder);
        if (failure.Failed)
        {
            throw failure.ToException(container.Path);
        }
    }

    /// <summary>Only a file may be replaced, and not by a directory.</summary>
    private unsafe void CheckPlace(HeldDirectory container, string source, in Statx status, string target)
    {
        string below = target[container.Path.Length..].TrimStart('/');
        string name = below.Split('/')[0];
        string path = CloneDestination.Join(container.Path, name);
        CallResult result = container.Stat(Utf8Z.From(name), out Statx old);
        if (result.Failed)
        {
            if (!result.Is(Errno.ENOENT))
            {
                throw Failure.Destination(SystemCall.Statx, result).ToException(path);
            }

            return;
        }

        fixed (byte* text = Utf8Z.From(name))
        {
            ErrorMeaning? reason =
                name != below || status.FileType == Sys.ModeDirectory ? new(BtrfsError.DestinationExists)
                : SameFile.Is(source, status, container.Descriptor, text, old) ? new(BtrfsError.SameFile)
                : Preconditions.WhyNotReplaceable(old, status.FileType, context.Options);
            if (reason is { } error)
            {
                throw new BtrfsException(error, path);
            }
        }
    }
}
