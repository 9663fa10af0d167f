using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>
/// What a search may hold in memory, shared by all its tables. A table that gets no more moves to a temporary file, so
/// that the search's memory does not grow with the filesystem.
/// </summary>
internal sealed unsafe class WorkingMemory
{
    /// <summary>Bytes of tables that a search holds in memory unless told otherwise.</summary>
    public const long DefaultLimit = 160L << 20;

    // What each table may have in any case. With less, a large sort would have too many parts to merge.
    private const long Least = 8L << 20;

    private readonly long _limit;
    private readonly long _least;
    private long _used;

    /// <param name="limit">Bytes that all tables together may have, beside a little for each.</param>
    /// <param name="folder">Where temporary files go.</param>
    public WorkingMemory(long limit = DefaultLimit, string? folder = null)
    {
        (_limit, _least) = (limit, Math.Min(Least, limit / 8));
        Folder = folder ?? DefaultFolder;
    }

    /// <summary>
    /// TMPDIR, or /var/tmp: unlike /tmp it is never itself in memory (file-hierarchy(7)).
    /// </summary>
    public static string DefaultFolder =>
        Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } folder ? folder
        : Directory.Exists("/var/tmp") ? "/var/tmp"
        : Path.GetTempPath();

    public string Folder { get; }

    /// <summary>
    /// Makes an array larger, or leaves it where there is no more memory for it.
    /// </summary>
    /// <param name="items">The array, or null.</param>
    /// <param name="bytes">Its size, 0 for none.</param>
    /// <param name="wanted">The size that it is to have.</param>
    /// <returns>Whether it has it now.</returns>
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
