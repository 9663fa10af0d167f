namespace BtrfsClone.Cloning;

/// <summary>
/// Brings content of files to other filesystems, for <see cref="ReflinkMode.Auto"/>. It is asked on several threads at once.
/// </summary>
internal interface IContentCarrier : IDisposable
{
    /// <summary>
    /// Begins with a file before others are done: what it shares is read, and is on its way to the disk, until it is carried.
    /// </summary>
    /// <param name="directory">The directories of the two files.</param>
    /// <param name="file">The open files. <see cref="FileClone.Begun"/> is set where it has begun.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Bytes that are on their way then.</returns>
    long Begin(DirectoryPair directory, ref FileClone file, CancellationToken cancellation);

    /// <summary>Gives an empty file the content of its source, and what is preallocated; and tells how much was copied.</summary>
    /// <param name="directory">The directories of the two files.</param>
    /// <param name="file">The open files.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="isCarried">False where it can do no more than to copy the bytes, and has done nothing.</param>
    Failure Carry(DirectoryPair directory, ref FileClone file, CancellationToken cancellation, out bool isCarried);
}
