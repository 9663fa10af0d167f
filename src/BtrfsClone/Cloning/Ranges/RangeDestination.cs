using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// The file that ranges are cloned to. A missing file is created without a name, and gets it when a range is in it: so no one else
/// can have written to a file that is abandoned.
/// </summary>
internal sealed unsafe class RangeDestination : IDisposable
{
    private const int Flags = OpenFlags.WriteOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private static readonly ErrorMeaning s_danglingLink = new(
        BtrfsError.DestinationNotFound, "it is a symbolic link that leads nowhere",
        "Make the file that the link names, or remove the link.");

    private readonly string _path;
    private readonly byte[] _name;
    private readonly HeldDirectory _parent;
    private OwnedDescriptor? _file;
    private byte[]? _temporaryName;
    private bool _canBeNameless = true;

    /// <summary>Opens the directory that contains, or will contain, the file.</summary>
    /// <exception cref="BtrfsException">It does not exist, or may not be searched.</exception>
    public RangeDestination(string path)
    {
        _path = path;
        _name = Utf8Z.From(CloneDestination.NameOf(path));
        string directory = CloneDestination.ParentOf(path);
        CallResult result = Sys.Open(directory, OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor parent);
        if (result.Failed)
        {
            throw Failure.Destination(SystemCall.OpenAt, result).OnPath().ToException(path);
        }

        _parent = new HeldDirectory(parent, directory);
    }

    /// <summary>The open file, if it is open.</summary>
    public Descriptor Descriptor => _file?.Descriptor ?? Descriptor.None;

    /// <summary>Opens the existing file; a symbolic link is followed. False if it does not exist.</summary>
    /// <exception cref="BtrfsException">It is not a regular file, or may not be written to.</exception>
    public bool TryOpen()
    {
        fixed (byte* name = _name)
        {
            // Checked before opening: opening a device or a FIFO for writing can have side effects.
            CallResult result = Sys.StatTarget(_parent.Descriptor, name, out Statx status);
            if (result.Succeeded)
            {
                RequireRegular(status);
                result = Sys.OpenAt(_parent.Descriptor, name, Flags, out Descriptor opened);
                _file = new OwnedDescriptor(opened);
            }
            else if (result.Is(Errno.ENOENT) && _parent.Stat(_name, out Statx entry).Succeeded &&
                entry.FileType == Sys.ModeSymlink)
            {
                throw new BtrfsException(s_danglingLink, _path);
            }

            if (result.Failed)
            {
                return result.Is(Errno.ENOENT)
                    ? false
                    : throw Failure.Destination(SystemCall.OpenAt, result).OnPath().ToException(_path);
            }
        }

        if (Sys.Stat(Descriptor, out Statx now).Succeeded)
        {
            RequireRegular(now);
        }

        return true;
    }

    /// <summary>Creates an empty file, without its name.</summary>
    /// <param name="permissions">Its permissions, subject to the umask or a default ACL.</param>
    public void Make(uint permissions)
    {
        CallResult result = Errno.EOPNOTSUPP;
        Descriptor made = Descriptor.None;
        if (_canBeNameless)
        {
            fixed (byte* here = ".\0"u8)
            {
                result = Sys.OpenAt(_parent.Descriptor, here, Flags | OpenFlags.Temporary, out made, permissions);
            }
        }

        if (result.Is(Errno.EOPNOTSUPP))
        {
            byte[] temporary = new byte[TemporaryName.MaxSize];
            TemporaryName.Write(temporary);
            fixed (byte* name = temporary)
            {
                result = Sys.OpenAt(
                    _parent.Descriptor, name, Flags | OpenFlags.Create | OpenFlags.Exclusive, out made, permissions);
            }

            _temporaryName = result.Failed ? null : temporary;
        }

        _file = result.Failed
            ? throw Failure.Destination(SystemCall.OpenAt, result).ToException(_path)
            : new OwnedDescriptor(made);
    }

    /// <summary>
    /// Gives the new file its name. False if this is not possible, because something else has the name by now or an open file
    /// cannot be named here: then there is no file any more, and everything starts again.
    /// </summary>
    public bool TryPublish()
    {
        CallResult result;
        fixed (byte* name = _name, temporary = _temporaryName)
        {
            result = temporary == null
                ? Sys.LinkFile(Descriptor, _parent.Descriptor, name)
                : Sys.Link(_parent.Descriptor, temporary, _parent.Descriptor, name);
        }

        if (result.Succeeded)
        {
            RemoveTemporaryName();
            return true;
        }

        bool isNameless = _temporaryName is null;
        Close();
        if (result.Is(Errno.ENOENT) && isNameless)
        {
            _canBeNameless = false;
            return false;
        }

        return result.Is(Errno.EEXIST)
            ? false
            : throw Failure.Destination(SystemCall.LinkAt, result).ToException(_path);
    }

    public void Dispose()
    {
        Close();
        _parent.Dispose();
    }

    /// <summary>Closes the file. One without its name is deleted with that.</summary>
    private void Close()
    {
        RemoveTemporaryName();
        _file?.Dispose();
        _file = null;
    }

    private void RemoveTemporaryName()
    {
        if (_temporaryName is not null)
        {
            _parent.Remove(_temporaryName);
            _temporaryName = null;
        }
    }

    private void RequireRegular(in Statx status)
    {
        if (status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, _path);
        }
    }
}
