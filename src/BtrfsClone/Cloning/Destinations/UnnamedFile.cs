using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// A file that gets its name when it is complete. Until then it has none, or a temporary one if the filesystem does not support
/// unnamed files; disposing of it removes it.
/// </summary>
internal sealed unsafe class UnnamedFile : IDisposable
{
    private readonly Descriptor _directory;
    private readonly byte[] _temporary = new byte[TemporaryName.MaxSize];
    private OwnedDescriptor _file = new(Descriptor.None);
    private bool _hasTemporaryName;

    private UnnamedFile(Descriptor directory)
    {
        _directory = directory;
        TemporaryName.Write(_temporary);
    }

    /// <summary>The open file.</summary>
    public Descriptor Descriptor => _file.Descriptor;

    /// <summary>Creates a file for writing.</summary>
    /// <param name="directory">Its directory, which stays open as long as the file.</param>
    /// <param name="mode">Its permissions, minus the umask.</param>
    /// <param name="file">The file; none if the call failed.</param>
    public static CallResult Make(Descriptor directory, uint mode, out UnnamedFile file)
    {
        file = new UnnamedFile(directory);
        return file.Open(mode);
    }

    /// <summary>Gives it its name. Only a file that replaces another one briefly has a temporary name.</summary>
    /// <param name="name">The name, null-terminated.</param>
    /// <param name="replaces">Whether it replaces an existing file of that name.</param>
    /// <param name="call">The call that failed, if any.</param>
    public CallResult Publish(byte[] name, bool replaces, out SystemCall call)
    {
        fixed (byte* final = name, temporary = _temporary)
        {
            if (!_hasTemporaryName)
            {
                call = SystemCall.LinkAt;
                CallResult result = Sys.LinkFile(Descriptor, _directory, final);
                if (!result.Is(Errno.EEXIST) || !replaces)
                {
                    return result;
                }

                result = Sys.LinkFile(Descriptor, _directory, temporary);
                if (result.Failed)
                {
                    return result;
                }

                _hasTemporaryName = true;
            }

            call = replaces ? SystemCall.RenameAt : SystemCall.RenameAt2;
            CallResult renamed = replaces
                ? Sys.Rename(_directory, temporary, _directory, final)
                : Sys.RenameNoReplace(_directory, temporary, _directory, final);
            _hasTemporaryName = renamed.Failed;
            return renamed;
        }
    }

    public void Dispose()
    {
        if (_hasTemporaryName)
        {
            fixed (byte* temporary = _temporary)
            {
                _ = Sys.Unlink(_directory, temporary);
            }

            _hasTemporaryName = false;
        }

        _file.Dispose();
    }

    private CallResult Open(uint mode)
    {
        fixed (byte* here = ".\0"u8, temporary = _temporary)
        {
            CallResult result = Sys.OpenAt(
                _directory, here, OpenFlags.WriteOnly | OpenFlags.Temporary, out Descriptor opened, mode);
            if (result.Error is Errno.EOPNOTSUPP or Errno.EISDIR or Errno.ENOENT)
            {
                int flags = OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive;
                result = Sys.OpenAt(_directory, temporary, flags, out opened, mode);
                _hasTemporaryName = result.Succeeded;
            }

            _file = new OwnedDescriptor(opened);
            return result;
        }
    }
}
