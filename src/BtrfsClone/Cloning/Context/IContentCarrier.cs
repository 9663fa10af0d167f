namespace BtrfsClone.Cloning;

/// <summary>
/// Copies the content of files to other filesystems, for <see cref="ReflinkMode.Auto"/>. Called on several threads at once.
/// </summary>
internal interface IContentCarrier : IDisposable
{
    /// <summary>
    /// Starts a file before others are done: its shared data is read, and is under writeback, until <see cref="Carry"/> is called.
    /// </summary>
    /// <param name="directory">The directories of the two files.</param>
    /// <param name="file">The open files. <see cref="FileClone.Begun"/> is set if it was started.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <returns>The number of bytes under writeback.</returns>
    long Begin(DirectoryPair directory, ref FileClone file, CancellationToken cancellation);

    /// <summary>Gives an empty file the content of its source, including preallocated space; and returns how much was copied.</summary>
    /// <param name="directory">The directories of the two files.</param>
    /// <param name="file">The open files.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <param name="isCarried">False if it can only copy plain bytes, and has done nothing.</param>
    Failure Carry(DirectoryPair directory, ref FileClone file, CancellationToken cancellation, out bool isCarried);
}
