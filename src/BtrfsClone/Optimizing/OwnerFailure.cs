using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>What failed, and with which file that refers to an extent. The default value is success.</summary>
/// <param name="Failure">What failed.</param>
/// <param name="File">The file; its inode is 0 where none is to blame.</param>
internal readonly record struct OwnerFailure(Failure Failure, ExtentOwner File)
{
    public bool Failed => Failure.Failed;

    public bool IsSpace => Failure.Errno is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>The file is gone, or shorter.</summary>
    public bool HasGone => Failure.Errno is Errno.ESTALE or Errno.ENOENT;

    /// <summary>
    /// The file may not share any more: it has become immutable, a swap file, or NOCOW, its mount read-only, its subvolume
    /// is being sent.
    /// </summary>
    public bool IsRefusal => Failure.Call == SystemCall.DedupeRange &&
        Failure.Errno is Errno.EPERM or Errno.ETXTBSY or Errno.EINVAL or Errno.EROFS or Errno.EAGAIN;
}
