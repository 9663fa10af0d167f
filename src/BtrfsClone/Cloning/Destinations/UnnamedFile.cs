using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// A file that gets its name when it is whole. Until then it has none, or a temporary one where the filesystem does not know such
/// files; disposing of it removes it.
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

    /// <summary>Makes one, for writing.</summary>
    /// <param name="directory">The directory that it goes into, which stays open for as long as it lives.</param>
    /// <param name="mode">Its permissions, less the umask.</param>
    /// <param name="file">The file, which is none where the call failed.</param>
    public static CallResult Make(Descriptor directory, uint mode, out UnnamedFile file)
    {
        file = new UnnamedFile(directory);
        return file.Open(mode);
    }

    /// <summary>Gives it its name. Only what takes the place of another file has a temporary one for a moment.</summary>
    /// <param name="name">The name, ended by a zero.</param>
    /// <param name="replaces">Whether it takes the place of what has that name.</param>
    /// <param name="call">The call that failed, if one did.</param>
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
