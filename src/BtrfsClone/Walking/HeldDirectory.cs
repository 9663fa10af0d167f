using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// An open directory, closed with its owner. Its entries are accessed by their names in it and without following symbolic links,
/// regardless of what happens to its own path in the meantime. For operations that occur once per invocation: it is allocated on
/// the heap, and knows its path. All names are null-terminated.
/// </summary>
internal sealed unsafe class HeldDirectory : IDisposable
{
    private static readonly int s_readFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock;

    /// <summary>Takes ownership of an open directory.</summary>
    /// <param name="descriptor">The directory. It is closed by <see cref="Dispose"/>.</param>
    /// <param name="path">Its path, for messages only.</param>
    public HeldDirectory(Descriptor descriptor, string path) => (Descriptor, Path) = (descriptor, path);

    public Descriptor Descriptor { get; private set; }

    /// <summary>The path by which it was opened, as known to the user.</summary>
    public string Path { get; }

    /// <summary>Opens a directory for listing by its path, following symbolic links.</summary>
    /// <param name="path">The path.</param>
    /// <param name="opened">The directory; null on failure.</param>
    /// <param name="orPathOnly">If it may not be listed, it is opened nevertheless, with O_PATH: its entries can be named.</param>
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

    /// <summary>Opens an open directory again, with O_PATH.</summary>
    public static CallResult Open(Descriptor directory, string path, out HeldDirectory? opened) =>
        OpenPathOnly(directory, ".\0"u8, path, out opened);

    /// <summary>Opens its parent directory, with O_PATH. The parent of the root is the root.</summary>
    public CallResult OpenAbove(out HeldDirectory? above) => OpenPathOnly(Descriptor, "..\0"u8, Path, out above);

    /// <summary>Opens a subdirectory for listing.</summary>
    /// <param name="name">Its name, or a path below this one.</param>
    /// <param name="below">The directory; null on failure.</param>
    /// <param name="orPathOnly">If it may not be listed, it is opened nevertheless, with O_PATH: its entries can be named.</param>
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

    /// <summary>statx(2) of an entry, without following a link.</summary>
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

    /// <summary>unlinkat(2) of an entry that is not a directory.</summary>
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

    /// <summary>renameat2(2) to a name that does not exist yet (otherwise EEXIST).</summary>
    public CallResult Move(ReadOnlySpan<byte> name, HeldDirectory destination, ReadOnlySpan<byte> newName)
    {
        fixed (byte* from = name, to = newName)
        {
            return Sys.RenameNoReplace(Descriptor, from, destination.Descriptor, to);
        }
    }

    /// <summary>renameat2(2) that exchanges two entries of one name.</summary>
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

    /// <summary>Gives up ownership of the descriptor: the caller closes it.</summary>
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
