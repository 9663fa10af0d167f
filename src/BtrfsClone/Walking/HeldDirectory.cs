using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// An open directory, closed with its owner. What is done to its entries is done by their names in it and through no
/// symbolic link, whatever becomes of its own path meanwhile. For what is done once in an invocation: it is allocated,
/// and tells its path. All names are zero-terminated.
/// </summary>
internal sealed unsafe class HeldDirectory : IDisposable
{
    private static readonly int s_readFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;

    /// <summary>Takes over an open directory.</summary>
    /// <param name="descriptor">The directory. It is closed by <see cref="Dispose"/>.</param>
    /// <param name="path">Its path, for messages alone.</param>
    public HeldDirectory(Descriptor descriptor, string path) => (Descriptor, Path) = (descriptor, path);

    public Descriptor Descriptor { get; private set; }

    /// <summary>The path that it was opened by, as the user knows it.</summary>
    public string Path { get; }

    /// <summary>Opens a directory for listing by its path, through symbolic links too.</summary>
    /// <param name="path">The path.</param>
    /// <param name="opened">The directory; null where that failed.</param>
    /// <param name="orPathOnly">One that may not be listed is opened all the same: its entries can be named.</param>
    public static CallResult Open(string path, out HeldDirectory? opened, bool orPathOnly = false)
    {
        CallResult result = Sys.Open(path, s_readFlags, out Descriptor descriptor);
        if (orPathOnly && result.Is(Errno.EACCES))
        {
            result = Sys.Open(path, OpenFlags.PathOnly | OpenFlags.Directory, out descriptor);
        }

        opened = result.Failed ? null : new HeldDirectory(descriptor, path);
        return result;
    }

    /// <summary>Opens an open directory once more, as a path only.</summary>
    public static CallResult Open(Descriptor directory, string path, out HeldDirectory? opened) =>
        OpenPathOnly(directory, ".\0"u8, path, out opened);

    /// <summary>Opens the directory above it, as a path only. The root is above itself.</summary>
    public CallResult OpenAbove(out HeldDirectory? above) => OpenPathOnly(Descriptor, "..\0"u8, Path, out above);

    /// <summary>Opens a directory in it for listing.</summary>
    /// <param name="name">Its name, or a path below this one.</param>
    /// <param name="below">The directory; null where that failed.</param>
    /// <param name="orPathOnly">One that may not be listed is opened all the same: its entries can be named.</param>
    public CallResult OpenBelow(ReadOnlySpan<byte> name, out HeldDirectory? below, bool orPathOnly = false)
    {
        fixed (byte* text = name)
        {
            CallResult result = Sys.OpenAt(
                Descriptor, text, s_readFlags | OpenFlags.NoFollow, out Descriptor descriptor);
            below = result.Failed ? null : new HeldDirectory(descriptor, PathOf(name));
            return orPathOnly && result.Is(Errno.EACCES)
                ? OpenPathOnly(Descriptor, name, PathOf(name), out below)
                : result;
        }
    }

    /// <summary>statx(2) of the directory itself.</summary>
    public CallResult Stat(out Statx status) => Sys.Stat(Descriptor, out status);

    /// <summary>statx(2) of an entry itself.</summary>
    public CallResult Stat(ReadOnlySpan<byte> name, out Statx status)
    {
        fixed (byte* text = name)
        {
            return Sys.StatEntry(Descriptor, text, out status);
        }
    }

    /// <summary>mkdirat(2).</summary>
    public CallResult MakeDirectory(ReadOnlySpan<byte> name, uint mode)
    {
        fixed (byte* text = name)
        {
            return Sys.MakeDirectory(Descriptor, text, mode);
        }
    }

    /// <summary>unlinkat(2) of anything but a directory.</summary>
    public CallResult Remove(ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            return Sys.Unlink(Descriptor, text);
        }
    }

    /// <summary>unlinkat(2) of an empty directory.</summary>
    public CallResult RemoveDirectory(ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            return Sys.RemoveDirectory(Descriptor, text);
        }
    }

    /// <summary>renameat2(2) to a name that nothing has yet (EEXIST).</summary>
    public CallResult Move(ReadOnlySpan<byte> name, HeldDirectory destination, ReadOnlySpan<byte> newName)
    {
        fixed (byte* from = name, to = newName)
        {
            return Sys.RenameNoReplace(Descriptor, from, destination.Descriptor, to);
        }
    }

    /// <summary>renameat2(2) of two entries of one name, which change places.</summary>
    public CallResult Exchange(ReadOnlySpan<byte> name, HeldDirectory other)
    {
        fixed (byte* text = name)
        {
            return Sys.Exchange(Descriptor, text, other.Descriptor, text);
        }
    }

    /// <summary>The path of an entry, for messages.</summary>
    public string PathOf(ReadOnlySpan<byte> name) =>
        (Path.EndsWith('/') ? Path : Path + "/") + Utf8Z.ToText(name.TrimEnd((byte)0));

    /// <summary>Gives the descriptor away: whoever takes it closes it.</summary>
    public Descriptor Release()
    {
        Descriptor descriptor = Descriptor;
        Descriptor = Descriptor.None;
        return descriptor;
    }

    public void Dispose()
    {
        Sys.Close(Descriptor);
        Descriptor = Descriptor.None;
    }

    private static CallResult OpenPathOnly(
        Descriptor directory, ReadOnlySpan<byte> name, string path, out HeldDirectory? opened)
    {
        fixed (byte* text = name)
        {
            int flags = OpenFlags.PathOnly | OpenFlags.Directory | OpenFlags.NoFollow;
            CallResult result = Sys.OpenAt(directory, text, flags, out Descriptor descriptor);
            opened = result.Failed ? null : new HeldDirectory(descriptor, path);
            return result;
        }
    }
}
