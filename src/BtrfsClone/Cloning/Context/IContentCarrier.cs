namespace BtrfsClone.Cloning;

/// <summary>
/// Brings content of files to other filesystems, for <see cref="ReflinkMode.Auto"/>. It is asked on several threads at once.
/// </summary>
internal interface IContentCarrier : IDisposable
{
    /// <summary>Gives an empty file the content of its source, and what is preallocated; and tells how much was copied.</summary>
    /// <param name="directory">The directories of the two files.</param>
    /// <param name="file">The open files.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="isCarried">False where it can do no more than to copy the bytes, and has done nothing.</param>
    Failure Carry(DirectoryPair directory, ref FileClone file, CancellationToken cancellation, out bool isCarried);
}
