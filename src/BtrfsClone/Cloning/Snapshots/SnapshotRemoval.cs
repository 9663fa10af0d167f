using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Removes snapshots that an invocation has created.</summary>
internal static class SnapshotRemoval
{
    /// <summary>Removes a snapshot without others nested in it.</summary>
    /// <param name="folder">The directory that contains it.</param>
    /// <param name="name">Its name there.</param>
    public static Failure Remove(HeldDirectory folder, byte[] name)
    {
        CallResult result = Sys.DestroySubvolume(folder.Descriptor, name);
        if (!result.Failed || !folder.RemoveDirectory(name).Failed)
        {
            return default; // The directory left by a run that was killed during its check is not a subvolume, and is empty.
        }

        if (folder.OpenBelow(name, out HeldDirectory? opened).Failed)
        {
            return Failure.Destination(SystemCall.DestroySnapshot, result);
        }

        // Only root may destroy a read-only one, and no one may destroy one whose root is immutable or append-only. If these calls
        // fail, the next attempt reports it.
        using HeldDirectory snapshot = opened!;
        if (!Sys.SetSubvolumeReadOnly(snapshot.Descriptor, readOnly: false).Failed)
        {
            _ = Sys.SetLateFlags(snapshot.Descriptor, InodeFlags.None);
            _ = Sys.Chmod(snapshot.Descriptor, Sys.ModeOwner);
            result = Sys.DestroySubvolume(folder.Descriptor, name);
        }

        return !result.Failed ? default
            : result.Error is Errno.EPERM or Errno.EACCES ? RemoveEmptied(folder, name, snapshot)
            : Failure.Destination(SystemCall.DestroySnapshot, result);
    }

    /// <summary>Removes a set of snapshots, or what exists of it.</summary>
    /// <param name="container">The directory that contains the first one, and through it all others.</param>
    /// <param name="name">The first one's name there.</param>
    /// <param name="top">The first one, open; null if it could not be opened, and nothing is in it.</param>
    /// <param name="taken">All of them, each before those that are nested in it.</param>
    public static Failure Remove(
        HeldDirectory container, byte[] name, HeldDirectory? top, IReadOnlyList<SnapshotMember> taken)
    {
        Failure failure = top is null ? default : Empty(top, taken);
        return failure.Failed || taken.Count == 0 ? failure : RemoveMember(container, name, taken[0]);
    }

    private static Failure Empty(HeldDirectory top, IReadOnlyList<SnapshotMember> taken)
    {
        foreach (SnapshotMember member in taken)
        {
            MakeWritable(top, member.Path);
        }

        Failure failure = default;
        for (int i = taken.Count - 1; i > 0 && !failure.Failed; i--)
        {
            failure = RemoveMember(top, taken[i]);
        }

        return failure;
    }

    private static void MakeWritable(HeldDirectory top, byte[] path)
    {
        if (NestedSubvolumes.Open(top, path, out HeldDirectory? snapshot).Succeeded)
        {
            _ = Sys.SetSubvolumeReadOnly(snapshot!.Descriptor, readOnly: false);
            snapshot.Dispose();
        }
    }

    private static Failure RemoveMember(HeldDirectory top, SnapshotMember member)
    {
        CallResult result = NestedSubvolumes.Open(top, NestedSubvolumes.ParentOf(member.Path), out HeldDirectory? opened);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, result);
        }

        using HeldDirectory parent = opened!;
        _ = UnprotectedEntry.TryUnprotect(parent.Descriptor, out _);
        _ = Sys.Chmod(parent.Descriptor, Sys.ModeOwner);
        return RemoveMember(parent, NestedSubvolumes.NameOf(member.Path), member);
    }

    /// <summary>Whoever may write to the directory could have put another subvolume there.</summary>
    private static Failure RemoveMember(HeldDirectory parent, byte[] name, SnapshotMember member)
    {
        if (member.Tree != 0 && parent.OpenBelow(name, out HeldDirectory? there).Succeeded)
        {
            using HeldDirectory snapshot = there!;
            if (Sys.SubvolumeInfo(snapshot.Descriptor, out SubvolumeFacts facts).Succeeded && facts.Tree != member.Tree)
            {
                return Failure.Refused(BtrfsError.ChangedMeanwhile);
            }
        }

        return Remove(parent, name);
    }

    /// <summary>
    /// Without CAP_SYS_ADMIN and user_subvol_rm_allowed, rmdir(2) is used, which since Linux 4.18 removes an empty subvolume like
    /// any directory.
    /// </summary>
    private static Failure RemoveEmptied(HeldDirectory folder, byte[] name, HeldDirectory snapshot)
    {
        Failure failure = TreeRemover.Empty(snapshot);
        CallResult result = folder.RemoveDirectory(name);
        return !result.Failed ? default
            : failure.Failed ? failure
            : Failure.Destination(SystemCall.UnlinkAt, result);
    }
}
