using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directories that a session's items are taken from and put into. They stay open from one item to the next, so
/// that many single files in a row cost no more than their own calls.
/// </summary>
internal sealed class ItemParents(CloneSession session, DirectoryCloner directories, WorkerBuffers buffers)
{
    private readonly List<DirectoryPair> _chain = [];
    private string? _sourceTop;
    private string? _destinationTop;
    private (ulong Device, int Destination) _clonable = (0, -1);

    /// <summary>Looks at an item.</summary>
    public static Statx Find(string source)
    {
        int result = Sys.Stat(source, follow: false, out Statx status);
        return result >= 0 ? status : throw OnPath(Fault.Source("statx", result)).ToException(source);
    }

    /// <summary>Refuses an item that cannot or must not be cloned, before anything is written.</summary>
    public void Check(string source, in Statx status, CloneDestination destination, string target)
    {
        bool isDirectory = status.FileType == Sys.ModeDirectory;
        if (destination.IsForDirectory && !isDirectory)
        {
            throw new BtrfsException(BtrfsError.DestinationNotFound, target + "/");
        }

        string container = ExistingContainer(destination);
        if (isDirectory && Preconditions.IsAtOrBelow(container, status))
        {
            throw new BtrfsException(BtrfsError.DestinationInsideSource, target);
        }

        if (isDirectory && Sys.Stat(target, follow: false, out Statx old) == 0)
        {
            if (old.IsSameFileAs(status))
            {
                throw new BtrfsException(BtrfsError.DestinationInsideSource, target);
            }

            if (old.FileType != Sys.ModeDirectory)
            {
                throw new BtrfsException(BtrfsError.DestinationExists, target);
            }
        }

        if (session.Moment is not null ||
            ((isDirectory || status.FileType == Sys.ModeRegular) && session.Options.Reflink == ReflinkMode.Always))
        {
            CheckClonable(source, status, container, target);
        }
    }

    /// <summary>The pair that the item is an entry of; what is missing on the destination's side is made.</summary>
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
            !IsStillThere(_chain[common]))
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
            Fault fault = directories.Open(buffers, pair);
            if (fault.Failed)
            {
                throw fault.ToException(_chain[^1].PathOf(fault.AtSource, name.AsSpan(0, name.Length - 1)));
            }

            _chain.Add(pair);
        }

        return _chain[^1];
    }

    /// <summary>Finishes and closes what is open.</summary>
    public void Leave()
    {
        LeaveTo(0);
        _clonable = (0, -1);
    }

    /// <summary>Whether the paths lead to the directories that are open: between two items others may take their places.</summary>
    private static bool IsStillThere(DirectoryPair pair) =>
        (pair.InMoment || LeadsTo(pair.SourcePath, pair.SourceStatus)) &&
        LeadsTo(pair.DestinationPath, pair.DestinationStatus);

    private static bool LeadsTo(string path, in Statx directory) =>
        Sys.Stat(path, follow: true, out Statx status) >= 0 && status.IsSameFileAs(directory);

    private void LeaveTo(int count)
    {
        while (_chain.Count > count)
        {
            DirectoryPair pair = _chain[^1];
            _chain.RemoveAt(_chain.Count - 1);
            if (pair.Parent is not null)
            {
                Fault fault = DirectoryCloner.Finish(buffers, pair);
                if (fault.Failed)
                {
                    session.Report(fault, pair, []);
                }
            }

            pair.Close();
        }
    }

    private void OpenTop(string sourceTop, CloneDestination destination)
    {
        var top = new DirectoryPair(sourceTop, destination.Directory) { Destination = OpenDirectory(destination) };
        Fault fault = DirectoryCloner.OpenTop(buffers, top);
        if (fault.Failed)
        {
            top.Close();
            throw fault.ToException(fault.AtSource ? sourceTop : destination.Directory);
        }

        _chain.Add(top);
        _sourceTop = sourceTop;
        _destinationTop = destination.Directory;
    }

    /// <summary>
    /// Opens the directory that receives items. Where it may be made, it and those above it that are missing are, as the
    /// process's umask has it; a link that appears among them is not followed.
    /// </summary>
    public static int OpenDirectory(CloneDestination destination) =>
        OpenOrMake(destination, destination.Directory, OpenFlags.ReadOnly | OpenFlags.NonBlock);

    private static int OpenOrMake(CloneDestination destination, string path, int flags)
    {
        int directory = destination.Made.Contains(path) ? -Errno.ENOENT : Sys.Open(path, flags | OpenFlags.Directory);
        return directory >= 0 ? directory
            : directory == -Errno.ENOENT && destination.CreateDirectory && path != "/" ? Make(destination, path, flags)
            : throw Fault.Destination("openat", directory).ToException(path);
    }

    private static unsafe int Make(CloneDestination destination, string path, int flags)
    {
        int parent = OpenOrMake(destination, CloneDestination.ParentOf(path), OpenFlags.PathOnly);
        destination.Made.Add(path);
        fixed (byte* name = Utf8Z.From(CloneDestination.NameOf(path)))
        {
            int result = Sys.MakeDirectory(parent, name, 0x1FF); // 0777
            string call = "mkdirat";
            if (result is >= 0 or -Errno.EEXIST)
            {
                result = Sys.OpenAt(parent, name, flags | OpenFlags.Directory | OpenFlags.NoFollow);
                call = "openat";
            }

            Sys.Close(parent);
            return result >= 0 ? result
                : result is -Errno.ENOTDIR or -Errno.ELOOP ? throw new BtrfsException(BtrfsError.DestinationExists, path)
                : throw Fault.Destination(call, result).ToException(path);
        }
    }

    /// <summary>The directory that the item goes into, or the nearest one above it that exists.</summary>
    public static string ExistingContainer(CloneDestination destination)
    {
        string path = destination.Directory;
        int result = Sys.Stat(path, follow: true, out Statx status);
        while (result == -Errno.ENOENT && destination.CreateDirectory && path != "/")
        {
            path = CloneDestination.ParentOf(path);
            result = Sys.Stat(path, follow: true, out status);
        }

        if (result < 0)
        {
            throw OnPath(Fault.Destination("statx", result)).ToException(path);
        }

        return status.FileType == Sys.ModeDirectory
            ? path
            : throw new BtrfsException(BtrfsError.DestinationExists, path);
    }

    /// <summary>A path that leads through a file, or in a circle, is as wrong as one that leads nowhere.</summary>
    private static Fault OnPath(Fault fault) => fault.Errno is Errno.ENOTDIR or Errno.ELOOP
        ? fault with { Meaning = fault.AtSource ? BtrfsError.SourceNotFound : BtrfsError.DestinationNotFound }
        : fault;

    private void CheckClonable(string source, in Statx status, string container, string target)
    {
        int known = _chain.Count > 0 && container == _destinationTop ? _chain[0].Destination : -1;
        if (known >= 0 && _clonable == (status.Device, known))
        {
            return;
        }

        // A file may be unreadable, or a device: its directory is asked instead, and it is on the same filesystem.
        string place = status.FileType == Sys.ModeDirectory ? source : CloneDestination.ParentOf(source);
        int from = Sys.Open(place, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        int to = known >= 0 ? known : Sys.Open(container, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        BtrfsError? reason = from >= 0 && to >= 0 ? Preconditions.WhyNotClonable(from, status, to) : null;
        if (from >= 0)
        {
            Sys.Close(from);
        }

        if (to >= 0 && known < 0)
        {
            Sys.Close(to);
        }

        if (reason is { } error)
        {
            throw new BtrfsException(error, target);
        }

        if (known >= 0)
        {
            _clonable = (status.Device, known);
        }
    }
}
