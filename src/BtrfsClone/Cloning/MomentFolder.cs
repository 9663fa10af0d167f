using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directory that holds an invocation's temporary snapshots, beside the clones. Only its owner may enter it, so
/// that a snapshot shows nobody what the directories above its subvolume hide. It is locked while the invocation
/// lives: one that is not locked was left by a killed process, and the next invocation in this place removes it.
/// </summary>
internal sealed unsafe class MomentFolder : IDisposable
{
    private const uint PrivateMode = 0x1C0; // 0700
    private const int Attempts = 16;

    private readonly int _place;
    private readonly int _folder;
    private readonly byte[] _name;
    private readonly Action<Fault> _onFailure;
    private int _count;

    private MomentFolder(int place, int folder, byte[] name, Action<Fault> onFailure)
    {
        _place = place;
        _folder = folder;
        _name = name;
        _onFailure = onFailure;
    }

    private static ReadOnlySpan<byte> Prefix => ".btrfs-clone-moment."u8;

    /// <summary>Whether a name is one of such a folder: none is part of anybody's data.</summary>
    public static bool HasName(ReadOnlySpan<byte> name) => name.StartsWith(Prefix);

    /// <summary>Makes it, once it is sure that snapshots can be removed again.</summary>
    /// <param name="directory">The directory to make it in.</param>
    /// <param name="onFailure">Takes what fails in <see cref="Dispose"/>.</param>
    /// <param name="folder">The folder, or null where the result is a failure.</param>
    public static Fault Make(string directory, Action<Fault> onFailure, out MomentFolder? folder)
    {
        folder = null;
        int place = Sys.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        if (place < 0)
        {
            return Fault.Destination("openat", place);
        }

        RemoveLeftovers(place);
        Fault fault = MakeLocked(place, out int descriptor, out byte[] name);
        if (!fault.Failed)
        {
            fault = CheckRemoval(place, name);
            if (!fault.Failed)
            {
                folder = new MomentFolder(place, descriptor, name, onFailure);
                return default;
            }

            Unlink(place, name);
            Sys.Close(descriptor);
        }

        Sys.Close(place);
        return fault;
    }

    /// <summary>Takes a read-only snapshot. Returns its open root, or a negative errno.</summary>
    public int Take(int subvolume)
    {
        byte[] name = NameOf(_count);
        int result = Sys.CreateSnapshot(subvolume, _folder, name, readOnly: true);
        if (result < 0)
        {
            return result;
        }

        _count++;
        return OpenDirectory(_folder, name);
    }

    /// <summary>Removes the snapshots and the folder.</summary>
    public void Dispose()
    {
        for (int i = 0; i < _count; i++)
        {
            int result = Remove(_folder, NameOf(i));
            if (result < 0)
            {
                _onFailure(Fault.Destination(Sys.DestroySubvolumeCall, result));
            }
        }

        // What could not be removed has been reported, and keeps the folder.
        Unlink(_place, _name);
        Sys.Close(_folder);
        Sys.Close(_place);
    }

    private static byte[] NameOf(int snapshot) => Utf8Z.From($"{snapshot}");

    private static Fault MakeLocked(int place, out int folder, out byte[] name)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            name = [.. Prefix, .. Utf8Z.From($"{Random.Shared.NextInt64():x16}")];
            fixed (byte* text = name)
            {
                int result = Sys.MakeDirectory(place, text, PrivateMode);
                if (result < 0)
                {
                    folder = -1;
                    return Fault.Destination("mkdirat", result);
                }
            }

            folder = OpenDirectory(place, name);
            if (folder >= 0 && Sys.Chmod(folder, PrivateMode) == 0 && Lock(place, folder, name))
            {
                return default;
            }

            // Another process took it for a leftover before it was locked.
            Unlink(place, name);
            if (folder >= 0)
            {
                Sys.Close(folder);
            }
        }

        folder = -1;
        name = [];
        return Fault.Refused(BtrfsError.ChangedMeanwhile);
    }

    /// <summary>Whether the folder is locked now, and still the one that has the name.</summary>
    private static bool Lock(int place, int folder, byte[] name)
    {
        fixed (byte* text = name)
        {
            return Sys.TryLock(folder) >= 0 && Sys.Stat(folder, out Statx locked) == 0 &&
                Sys.StatEntry(place, text, out Statx named) == 0 && named.IsSameFileAs(locked);
        }
    }

    /// <summary>
    /// Asks the kernel to destroy the folder, which is no subvolume: the answer tells who may not destroy subvolumes
    /// here from who may, before there is one that could not be removed.
    /// </summary>
    private static Fault CheckRemoval(int place, byte[] name) => Sys.DestroySubvolume(place, name) switch
    {
        -Errno.EINVAL => default,
        -Errno.ENOTTY => Fault.Refused(BtrfsError.NotBtrfs),
        var result => Fault.Destination(Sys.DestroySubvolumeCall, result),
    };

    private static void RemoveLeftovers(int place)
    {
        foreach (byte[] name in NamesIn(place, Prefix))
        {
            int folder = OpenDirectory(place, name);
            if (folder < 0)
            {
                continue;
            }

            if (Sys.Stat(folder, out Statx status) == 0 && status.Uid == Sys.EffectiveUid && Lock(place, folder, name))
            {
                foreach (byte[] entry in NamesIn(folder, []))
                {
                    RemoveIfSnapshot(folder, entry);
                }

                Unlink(place, name);
            }

            Sys.Close(folder);
        }
    }

    /// <summary>Whatever else somebody may have put there is left alone.</summary>
    private static void RemoveIfSnapshot(int folder, byte[] name)
    {
        int entry = OpenDirectory(folder, name);
        if (entry < 0)
        {
            return;
        }

        bool isSnapshot = Sys.Stat(entry, out Statx status) == 0 && status.Inode == Sys.SubvolumeRootInode &&
            Sys.IsSnapshot(entry);
        Sys.Close(entry);
        if (isSnapshot)
        {
            _ = Remove(folder, name);
        }
    }

    private static int Remove(int folder, byte[] name)
    {
        int result = Sys.DestroySubvolume(folder, name);
        if (result >= 0)
        {
            return result;
        }

        // Only root may destroy a read-only one, and nobody one whose root is immutable or append-only.
        int subvolume = OpenDirectory(folder, name);
        if (subvolume < 0)
        {
            return result;
        }

        if (Sys.MakeSubvolumeWritable(subvolume) == 0)
        {
            _ = Sys.SetLateFlags(subvolume, InodeFlags.None);
            _ = Sys.Chmod(subvolume, PrivateMode);
            result = Sys.DestroySubvolume(folder, name);
        }

        Sys.Close(subvolume);
        return result;
    }

    private static List<byte[]> NamesIn(int directory, ReadOnlySpan<byte> prefix)
    {
        var names = new List<byte[]>();
        byte[] buffer = new byte[DirectoryBatch.BufferSize];
        fixed (byte* start = buffer)
        {
            int size;
            while ((size = Sys.ReadDirectory(directory, start, buffer.Length)) > 0)
            {
                foreach (DirectoryBatch.Entry entry in new DirectoryBatch(start, size))
                {
                    if (entry.Name.StartsWith(prefix) && !entry.IsDotOrDotDot)
                    {
                        names.Add([.. entry.Name, 0]);
                    }
                }
            }
        }

        return names;
    }

    private static int OpenDirectory(int directory, ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            return Sys.OpenAt(
                directory, text,
                OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
        }
    }

    private static void Unlink(int place, byte[] name)
    {
        fixed (byte* text = name)
        {
            _ = Sys.RemoveDirectory(place, text);
        }
    }
}
