using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>
/// The memory limit of a search, shared by all its tables. A table that gets no more memory moves to a temporary file, so that the
/// search's memory does not grow with the filesystem.
/// </summary>
internal sealed unsafe class WorkingMemory
{
    /// <summary>The default limit for the tables of a search in bytes.</summary>
    public const long DefaultLimit = 160L << 20;

    // Each table may have this much in any case. With less, a large sort would have too many parts to merge.
    private const long Least = 8L << 20;

    private readonly long _limit;
    private readonly long _least;
    private long _used;

    /// <param name="limit">The limit for all tables together in bytes, in addition to the minimum for each.</param>
    /// <param name="folder">The folder for temporary files.</param>
    public WorkingMemory(long limit = DefaultLimit, string? folder = null)
    {
        (_limit, _least) = (limit, Math.Min(Least, limit / 8));
        Folder = folder ?? DefaultFolder;
    }

    /// <summary>TMPDIR, or /var/tmp: unlike /tmp it is never stored in memory (file-hierarchy(7)).</summary>
    public static string DefaultFolder =>
        Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } folder ? folder
        : Directory.Exists("/var/tmp") ? "/var/tmp"
        : Path.GetTempPath();

    public string Folder { get; }

    /// <summary>Enlarges an array, or leaves it unchanged if there is no more memory for it.</summary>
    /// <param name="items">The array, or null.</param>
    /// <param name="bytes">Its size, 0 for none.</param>
    /// <param name="wanted">The requested size.</param>
    /// <returns>Whether it has that size now.</returns>
    public bool TryGrow(ref void* items, ref long bytes, long wanted)
    {
        long more = wanted - bytes;
        if (Interlocked.Add(ref _used, more) > _limit && wanted > _least)
        {
            Interlocked.Add(ref _used, -more);
            return false;
        }

        items = NativeMemory.Realloc(items, (nuint)wanted);
        bytes = wanted;
        return true;
    }

    public void Free(ref void* items, ref long bytes)
    {
        NativeMemory.Free(items);
        Interlocked.Add(ref _used, -bytes);
        items = null;
        bytes = 0;
    }
}
