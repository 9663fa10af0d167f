namespace BtrfsClone.Tests.Support;

/// <summary>
/// A folder of this run alone. The kernel drops its lock with the process, however that ends; by this the next run knows
/// that it may remove what is there.
/// </summary>
public sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "btrfs-clone-tests-";

    private readonly Action<string> _empty;
    private readonly FileStream _lock;

    /// <summary>Makes it, after the removal of what killed runs have left in the same place.</summary>
    /// <param name="parent">Where to make it.</param>
    /// <param name="empty">Removes what this kind of folder may hold. The lock stays until it has returned.</param>
    public ScratchFolder(string parent, Action<string> empty)
    {
        _empty = empty;
        foreach (string folder in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            try
            {
                using FileStream held = OpenLock(folder, FileMode.Open);
                Remove(folder);
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
            {
                // In use by a run, or by what a killed run has started; or somebody else's.
            }
        }

        Path = System.IO.Path.Combine(parent, Prefix + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path);
        _lock = OpenLock(Path, FileMode.CreateNew);
    }

    public string Path { get; }

    public void Dispose()
    {
        // Still locked: else another run would take it for a killed one's and remove it at the same time.
        Remove(Path);
        _lock.Dispose();
    }

    private static string LockOf(string folder) => System.IO.Path.Combine(folder, "lock");

    private static FileStream OpenLock(string folder, FileMode mode) =>
        new(LockOf(folder), mode, FileAccess.ReadWrite, FileShare.None);

    // Not recursive: a mount that came in between must not be emptied.
    private void Remove(string folder)
    {
        _empty(folder);
        File.Delete(LockOf(folder));
        Directory.Delete(folder);
    }
}
