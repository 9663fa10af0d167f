using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// A hidden folder that only its owner can enter, for what an invocation needs while it runs. Its maker holds a lock on
/// it, which the kernel drops with the process: what cannot be locked is alive, and all else is a killed run's and is
/// removed.
/// </summary>
internal sealed unsafe class HiddenFolder : IDisposable
{
    private const uint PrivateMode = 0x1C0; // 0700
    private const uint OthersMode = 0x3F; // 0077
    private const uint WriteOfOthers = 0x12; // 0022

    private readonly int _container;
    private readonly Kind _kind;
    private readonly byte[] _name; // Zero-terminated.

    private HiddenFolder(int container, Kind kind, byte[] name, int descriptor)
    {
        _container = container;
        _kind = kind;
        _name = name;
        Descriptor = descriptor;
    }

    /// <summary>
    /// The mark of a folder that may be emptied, if nobody else may write in it. The name alone would let whoever may
    /// write in its parent rename another of the caller's directories to it.
    /// </summary>
    private static ReadOnlySpan<byte> Mark => "user.btrfs-clone.temporary\0"u8;

    /// <summary>The folder, open; entries are named by it, so that no path leads elsewhere.</summary>
    public int Descriptor { get; }

    /// <summary>The folder's path, for as long as it is open.</summary>
    public string Path => $"/proc/self/fd/{Descriptor}";

    /// <summary>Makes a folder. On failure the result is the fault of a call on the destination's side.</summary>
    public static Fault Create(int container, Kind kind, out HiddenFolder? folder)
    {
        folder = null;
        while (true)
        {
            byte[] name = kind.NewName();
            fixed (byte* text = name)
            {
                int result = Sys.MakeDirectory(container, text, PrivateMode);
                if (result == -Errno.EEXIST)
                {
                    continue;
                }

                if (result < 0)
                {
                    return Fault.Destination("mkdirat", result);
                }

                int descriptor = OpenNew(container, text);
                if (descriptor == -Errno.ENOENT)
                {
                    continue; // Another run found it before it was locked, and took it for a dead one's.
                }

                if (descriptor < 0)
                {
                    _ = Sys.RemoveDirectory(container, text);
                    return Fault.Destination("openat", descriptor);
                }

                folder = new HiddenFolder(container, kind, name, descriptor);
                return default;
            }
        }
    }

    /// <summary>Marks an open directory as one that a later run may remove unless it is locked.</summary>
    public static int SetMark(int descriptor)
    {
        byte value = 1;
        fixed (byte* mark = Mark)
        {
            int result = Sys.SetXattr(descriptor, mark, &value, 1);
            return result == -Errno.EOPNOTSUPP ? 0 : result; // There, what a killed run leaves is left for good.
        }
    }

    public static void ClearMark(int descriptor)
    {
        fixed (byte* mark = Mark)
        {
            _ = Sys.RemoveXattr(descriptor, mark);
        }
    }

    /// <summary>Removes what killed runs of this user have left in a directory. What cannot be removed stays.</summary>
    public static void RemoveLeftovers(int container, Kind kind)
    {
        fixed (byte* here = ".\0"u8, buffer = new byte[DirectoryBatch.BufferSize])
        {
            int listing = Sys.OpenAt(container, here, OpenFlags.ReadOnly | OpenFlags.Directory);
            int size;
            while (listing >= 0 && (size = Sys.ReadDirectory(listing, buffer, DirectoryBatch.BufferSize)) > 0)
            {
                foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffer, size))
                {
                    if (kind.HasName(entry.Name))
                    {
                        RemoveLeftover(container, kind, entry.NamePointer);
                    }
                }
            }

            if (listing >= 0)
            {
                Sys.Close(listing);
            }
        }
    }

    /// <summary>Removes the folder with all that is in it. Returns 0 or a negative errno.</summary>
    public int Remove()
    {
        int result = _kind.Empty(Descriptor);
        fixed (byte* name = _name)
        {
            return result < 0 ? result : Sys.RemoveDirectory(_container, name);
        }
    }

    public void Dispose() => Sys.Close(Descriptor);

    private static int Open(int container, byte* name) => Sys.OpenAt(
        container, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);

    private static int OpenNew(int container, byte* name)
    {
        int descriptor = Open(container, name);
        if (descriptor < 0)
        {
            return descriptor;
        }

        int result = Sys.TryLock(descriptor);
        result = result is -Errno.EAGAIN ? -Errno.ENOENT : result;
        if (result >= 0 && (result = Sys.Stat(descriptor, out Statx status)) >= 0)
        {
            // Who may write in the parent may have put another directory in its place: an empty one is no loss.
            result = status.LinkCount == 0 ? -Errno.ENOENT
                : status.Uid != Sys.EffectiveUid || (status.Mode & WriteOfOthers) != 0 || !IsEmpty(descriptor)
                    ? -Errno.ESTALE
                : SetMark(descriptor);
        }

        if (result < 0)
        {
            Sys.Close(descriptor);
            return result;
        }

        return descriptor;
    }

    private static bool IsEmpty(int directory)
    {
        const int Size = 1024; // Bytes; at least three entries.
        byte* buffer = stackalloc byte[Size];
        int size = Sys.ReadDirectory(directory, buffer, Size);
        foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffer, size))
        {
            if (!entry.IsDotOrDotDot)
            {
                return false;
            }
        }

        return size >= 0;
    }

    private static void RemoveLeftover(int container, Kind kind, byte* name)
    {
        int descriptor = Open(container, name);
        if (descriptor < 0)
        {
            return;
        }

        byte value;
        fixed (byte* mark = Mark)
        {
            // One without the mark was not finished or is none of ours: rmdir(2) takes it only if it is empty.
            bool isDead = Sys.Stat(descriptor, out Statx status) >= 0 && status.Uid == Sys.EffectiveUid &&
                (status.Mode & OthersMode) == 0 && Sys.TryLock(descriptor) >= 0;
            bool isMarked = isDead && Sys.GetXattr(descriptor, mark, &value, 1) >= 0;
            if (isDead && (!isMarked || kind.Empty(descriptor) >= 0))
            {
                _ = Sys.RemoveDirectory(container, name);
            }
        }

        Sys.Close(descriptor);
    }

    /// <summary>What a folder is for.</summary>
    /// <param name="Prefix">What its name begins with; sixteen hexadecimal digits follow.</param>
    /// <param name="Empty">Removes what is in an open folder. Returns 0 or a negative errno.</param>
    public sealed record Kind(byte[] Prefix, Func<int, int> Empty)
    {
        /// <summary>A zero-terminated name that nobody else chooses.</summary>
        public byte[] NewName() => [.. Prefix, .. Utf8Z.From($"{Random.Shared.NextInt64():x16}")];

        public bool HasName(ReadOnlySpan<byte> name) => name.StartsWith(Prefix);
    }
}
