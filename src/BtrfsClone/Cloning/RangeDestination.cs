using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The file that ranges are cloned into: opened, or made when it is missing. Until a range is in it, it can be put back
/// to what it was.
/// </summary>
internal sealed unsafe class RangeDestination
{
    private readonly string _path;
    private readonly int _parent;
    private readonly bool _made;
    private InodeFlags? _oldFlags;
    private bool _holdsRange;

    private RangeDestination(string path, int parent, int descriptor, bool made)
    {
        _path = path;
        _parent = parent;
        Descriptor = descriptor;
        _made = made;
    }

    public int Descriptor { get; }

    /// <summary>Opens the file, or makes it with the source's permissions as far as the umask lets them pass.</summary>
    /// <exception cref="BtrfsException">It is no regular file, or may not be written to.</exception>
    public static RangeDestination Open(string path, int source, in Statx sourceStatus)
    {
        if (Sys.Stat(path, follow: true, out Statx there) == 0)
        {
            // Before it is opened: opening a device or a FIFO for writing can do something by itself.
            RequireRegular(there, path);
        }

        int parent = Sys.Open(CloneDestination.ParentOf(path), OpenFlags.PathOnly | OpenFlags.Directory);
        if (parent < 0)
        {
            throw Fault.Destination("openat", parent).ToException(path);
        }

        RangeDestination? destination = null;
        try
        {
            destination = OpenOrMake(path, parent, sourceStatus);
            destination.MatchNoCow(source);
            return destination;
        }
        catch
        {
            if (destination is null)
            {
                Sys.Close(parent);
            }
            else
            {
                destination.Undo();
                destination.Close();
            }

            throw;
        }
    }

    /// <summary>From now on there is nothing to put back.</summary>
    public void Keep() => _holdsRange = true;

    /// <summary>Removes the file again if it was made for a range that it did not get, or gives it its flags back.</summary>
    public void Undo()
    {
        if (_holdsRange)
        {
            return;
        }

        if (!_made)
        {
            if (_oldFlags is InodeFlags flags)
            {
                _ = Sys.SetFlags(Descriptor, flags);
            }

            return;
        }

        fixed (byte* name = Utf8Z.From(CloneDestination.NameOf(_path)))
        {
            // Whatever somebody else has put there in the meantime stays.
            if (Sys.Stat(Descriptor, out Statx own) == 0 && Sys.StatEntry(_parent, name, out Statx entry) == 0 &&
                own.IsSameFileAs(entry))
            {
                _ = Sys.Unlink(_parent, name);
            }
        }
    }

    public void Close()
    {
        Sys.Close(Descriptor);
        Sys.Close(_parent);
    }

    private static RangeDestination OpenOrMake(string path, int parent, in Statx sourceStatus)
    {
        int flags = OpenFlags.WriteOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        int descriptor;
        bool made;
        fixed (byte* name = Utf8Z.From(CloneDestination.NameOf(path)))
        {
            descriptor = Sys.OpenAt(parent, name, flags);
            made = descriptor == -Errno.ENOENT;
            if (made)
            {
                descriptor = Sys.OpenAt(
                    parent, name, flags | OpenFlags.Create | OpenFlags.Exclusive, sourceStatus.Permissions & 0x1FF);
            }
        }

        if (descriptor < 0)
        {
            throw Fault.Destination("openat", descriptor).ToException(path);
        }

        var destination = new RangeDestination(path, parent, descriptor, made);
        if (Sys.Stat(descriptor, out Statx status) == 0 && status.FileType != Sys.ModeRegular)
        {
            Sys.Close(descriptor);
            RequireRegular(status, path);
        }

        return destination;
    }

    private static void RequireRegular(in Statx status, string path)
    {
        if (status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }
    }

    /// <summary>The kernel clones between files that are both NOCOW or both not, and lets an empty file change.</summary>
    private void MatchNoCow(int source)
    {
        if (Sys.Stat(Descriptor, out Statx status) < 0 || status.Size > 0 ||
            Sys.GetFlags(source, out InodeFlags wanted) < 0 || Sys.GetFlags(Descriptor, out InodeFlags present) < 0 ||
            ((wanted ^ present) & InodeFlags.NoCow) == 0)
        {
            return;
        }

        // NOCOW and compression exclude each other, the present flag and the next one too.
        InodeFlags others = present & ~(InodeFlags.NoCow | InodeFlags.Compress | InodeFlags.NoCompress);
        int result = (wanted & InodeFlags.NoCow) == 0
            ? Sys.SetFlags(Descriptor, present & ~InodeFlags.NoCow)
            : Sys.SetFlags(Descriptor, others);
        if (result >= 0 && (wanted & InodeFlags.NoCow) != 0)
        {
            result = Sys.SetFlags(Descriptor, others | InodeFlags.NoCow);
        }

        _oldFlags = present;
        if (result < 0)
        {
            throw new BtrfsException(BtrfsError.NoCowMismatch, _path, -result, "FS_IOC_SETFLAGS");
        }
    }
}
