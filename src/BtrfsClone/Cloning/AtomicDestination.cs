using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Where a session with <see cref="CloneOptions.Atomic"/> clones to: a hidden folder in the nearest directory that
/// exists. At the end what is in it gets its names there, or is removed.
/// </summary>
internal sealed class AtomicDestination(CloneOptions options, WorkerBuffers buffers) : IDisposable
{
    /// <summary>The folder that all is cloned to before it appears.</summary>
    public static readonly HiddenFolder.Kind FolderKind = new(".btrfs-clone-atomic."u8.ToArray(), TreeRemover.Empty);

    private CloneDestination? _destination;
    private CloneDestination? _staged;
    private HiddenFolder? _folder;
    private string _containerPath = "";
    private int _container = -1;

    /// <summary>Something has failed that the session did not report: nothing is to appear.</summary>
    public bool HasFailed { get; set; }

    /// <summary>
    /// The place to clone an item to instead of the destination. It is made at the first item; an item that could not
    /// appear under its name is refused before that.
    /// </summary>
    public CloneDestination Stage(in Statx status, CloneDestination destination, string target)
    {
        if (_destination is not null && _destination != destination)
        {
            throw new ArgumentException("All items of an atomic session go to one destination.", nameof(destination));
        }

        if (_container < 0)
        {
            _destination = destination;
            _containerPath = ItemParents.ExistingContainer(destination);
            _container = OpenContainer(_containerPath);
        }

        CheckPlace(status, target);
        return _staged ??= MakeFolder(destination);
    }

    /// <summary>Gives all that was staged its names, or removes it.</summary>
    /// <exception cref="BtrfsException">
    /// Something had failed or has been put in the place of the names meanwhile: nothing has appeared.
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

        var publication = new Publication(_folder.Descriptor, _container, options);
        try
        {
            publication.Run(buffers, _containerPath, cancellation);
        }
        finally
        {
            Discard(publication.HoldsOthers);
        }
    }

    /// <summary>The path as the user knows it: where the entry was to appear.</summary>
    public string Shown(string path)
    {
        if (_folder is null || !path.StartsWith(_folder.Path, StringComparison.Ordinal))
        {
            return path;
        }

        string rest = path[_folder.Path.Length..];
        return rest.Length == 0 ? _containerPath
            : rest[0] == '/' ? CloneDestination.Join(_containerPath, rest[1..])
            : path;
    }

    /// <summary>Removes what was staged and has not appeared.</summary>
    public void Dispose()
    {
        Discard();
        if (_container >= 0)
        {
            Sys.Close(_container);
            _container = -1;
        }
    }

    private string Target => _destination!.NewName is { } name
        ? CloneDestination.Join(_destination.Directory, name)
        : _destination.Directory;

    private void Discard(bool holdsOthers = false)
    {
        if (holdsOthers)
        {
            // Nor is a later run to take it for a leftover.
            HiddenFolder.ClearMark(_folder!.Descriptor);
        }
        else
        {
            // What cannot be removed is left to the next run, which may fare better.
            _ = _folder?.Remove();
        }

        _folder?.Dispose();
        _folder = null;
    }

    private static int OpenContainer(string path)
    {
        int container = Sys.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        if (container == -Errno.EACCES)
        {
            // A directory that cannot be listed may still take entries.
            container = Sys.Open(path, OpenFlags.PathOnly | OpenFlags.Directory);
        }
        else if (container >= 0 && Sys.GetFlags(container, out InodeFlags flags) >= 0 &&
            flags.HasFlag(InodeFlags.AppendOnly))
        {
            // Nothing could be renamed or removed.
            Sys.Close(container);
            container = -Errno.EPERM;
        }

        return container >= 0 ? container : throw Fault.Destination("openat", container).ToException(path);
    }

    private CloneDestination MakeFolder(CloneDestination destination)
    {
        HiddenFolder.RemoveLeftovers(_container, FolderKind);
        Fault fault = HiddenFolder.Create(_container, FolderKind, out _folder);
        if (fault.Failed)
        {
            throw fault.ToException(_containerPath);
        }

        string below = destination.Directory[_containerPath.Length..].TrimStart('/');
        return destination.MovedTo(below.Length == 0 ? _folder!.Path : CloneDestination.Join(_folder!.Path, below));
    }

    /// <summary>Only a file may be replaced, and only by something that is no directory.</summary>
    private unsafe void CheckPlace(in Statx status, string target)
    {
        string below = target[_containerPath.Length..].TrimStart('/');
        string name = below.Split('/')[0];
        fixed (byte* text = Utf8Z.From(name))
        {
            if (Sys.StatEntry(_container, text, out Statx old) < 0)
            {
                return;
            }

            BtrfsError? reason =
                name != below || status.FileType == Sys.ModeDirectory ? BtrfsError.DestinationExists
                : old.IsSameFileAs(status) ? BtrfsError.SameFile
                : Preconditions.WhyNotReplaceable(old, options);
            if (reason is { } error)
            {
                throw new BtrfsException(error, CloneDestination.Join(_containerPath, name));
            }
        }
    }
}
