using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The hidden folder that holds an invocation's temporary snapshots, beside the clones. Since only its owner may enter
/// it, a snapshot shows nobody what the directories above its subvolume hide.
/// </summary>
internal sealed unsafe class MomentFolder : IDisposable
{
    /// <summary>Folders of such names are no part of anybody's data.</summary>
    public static readonly HiddenFolder.Kind Kind = new(".btrfs-clone-moment."u8.ToArray(), Empty);

    private readonly int _container;
    private readonly HiddenFolder _folder;
    private readonly Action<Fault> _onFailure;
    private int _count;

    private MomentFolder(int container, HiddenFolder folder, Action<Fault> onFailure)
    {
        _container = container;
        _folder = folder;
        _onFailure = onFailure;
    }

    /// <summary>Makes it, once it is sure that snapshots can be removed again.</summary>
    /// <param name="directory">The directory to make it in.</param>
    /// <param name="onFailure">Takes what fails in <see cref="Dispose"/>.</param>
    /// <param name="folder">The folder, or null where the result is a failure.</param>
    public static Fault Make(string directory, Action<Fault> onFailure, out MomentFolder? folder)
    {
        folder = null;
        int container = Sys.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock);
        if (container < 0)
        {
            return Fault.Destination("openat", container);
        }

        HiddenFolder.RemoveLeftovers(container, Kind);
        Fault fault = HiddenFolder.Create(container, Kind, out HiddenFolder? hidden);
        if (!fault.Failed)
        {
            var made = new MomentFolder(container, hidden!, onFailure);
            fault = made.CheckRemoval();
            if (!fault.Failed)
            {
                folder = made;
                return default;
            }

            _ = hidden!.Remove();
            hidden.Dispose();
        }

        Sys.Close(container);
        return fault;
    }

    /// <summary>Takes a read-only snapshot. Returns its open root, or a negative errno.</summary>
    public int Take(int subvolume)
    {
        byte[] name = Utf8Z.From($"{_count}");
        int result = Sys.CreateSnapshot(subvolume, _folder.Descriptor, name, readOnly: true);
        if (result < 0)
        {
            return result;
        }

        _count++;
        fixed (byte* text = name)
        {
            return OpenSnapshot(_folder.Descriptor, text);
        }
    }

    /// <summary>Removes the snapshots that were taken. What fails here is tried again at the end.</summary>
    public void RemoveSnapshots() => _ = Empty(_folder.Descriptor);

    /// <summary>Removes the snapshots and the folder.</summary>
    public void Dispose()
    {
        int result = _folder.Remove();
        if (result < 0)
        {
            _onFailure(Fault.Destination(Sys.DestroySubvolumeCall, result));
        }

        _folder.Dispose();
        Sys.Close(_container);
    }

    /// <summary>
    /// Asks the kernel to destroy a directory in the folder, which is no subvolume: the answer tells who may not destroy
    /// subvolumes here from who may, before there is one that could not be removed. (In the place of the folder itself,
    /// somebody might have put a subvolume.)
    /// </summary>
    private Fault CheckRemoval()
    {
        fixed (byte* name = "probe\0"u8)
        {
            int result = Sys.MakeDirectory(_folder.Descriptor, name, 0x1C0); // 0700
            if (result < 0)
            {
                return Fault.Destination("mkdirat", result);
            }

            result = Sys.DestroySubvolume(_folder.Descriptor, "probe\0"u8);
            _ = Sys.RemoveDirectory(_folder.Descriptor, name);
            return result switch
            {
                -Errno.EINVAL => default,
                -Errno.ENOTTY => Fault.Refused(BtrfsError.NotBtrfs),
                _ => Fault.Destination(Sys.DestroySubvolumeCall, result),
            };
        }
    }

    private static int Empty(int folder)
    {
        int error = 0;
        fixed (byte* buffer = new byte[DirectoryBatch.BufferSize])
        {
            _ = Sys.Seek(folder, 0);
            int size;
            while ((size = Sys.ReadDirectory(folder, buffer, DirectoryBatch.BufferSize)) > 0)
            {
                foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffer, size))
                {
                    int result = entry.IsDotOrDotDot ? 0 : Destroy(folder, entry.NamePointer);
                    error = result < 0 ? result : error;
                }
            }
        }

        return error;
    }

    private static int Destroy(int folder, byte* name)
    {
        var text = new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1);
        int result = Sys.DestroySubvolume(folder, text);
        int snapshot = result < 0 ? OpenSnapshot(folder, name) : -1;
        if (snapshot < 0)
        {
            return result;
        }

        // Only root may destroy a read-only one, and nobody one whose root is immutable or append-only.
        if (Sys.MakeSubvolumeWritable(snapshot) == 0)
        {
            _ = Sys.SetLateFlags(snapshot, InodeFlags.None);
            _ = Sys.Chmod(snapshot, 0x1C0); // 0700
            result = Sys.DestroySubvolume(folder, text);
        }

        Sys.Close(snapshot);
        return result;
    }

    private static int OpenSnapshot(int folder, byte* name) => Sys.OpenAt(
        folder, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
}
