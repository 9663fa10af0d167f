using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>A failure, and the file with the reference that it concerns. The default value means success.</summary>
/// <param name="Failure">The failure.</param>
/// <param name="File">The file; its inode is 0 if the failure does not concern a file.</param>
internal readonly record struct OwnerFailure(Failure Failure, ExtentOwner File)
{
    public bool Failed => Failure.Failed;

    public bool IsSpace => Failure.Errno is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>The file was deleted or truncated.</summary>
    public bool HasGone => Failure.Errno is Errno.ESTALE or Errno.ENOENT;

    /// <summary>
    /// The file may not share any more: it has become immutable, a swap file, or NOCOW, its mount read-only, or its subvolume is
    /// being sent.
    /// </summary>
    public bool IsRefusal => Failure.Call == SystemCall.DedupeRange &&
        Failure.Errno is Errno.EPERM or Errno.ETXTBSY or Errno.EINVAL or Errno.EROFS or Errno.EAGAIN;
}
