using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Divides the descriptors that the process may still open.</summary>
internal sealed class DescriptorBudget
{
    // The parent directories of the items, a staging folder and its parent, or a snapshot and its folder.
    private const int Fixed = 6;

    private const int PerWorker = 4; // A file on either side, and another file or directory that is being checked.
    private const int Least = 12;
    private const int MostPairs = 256;
    private const int MostToClose = 64;

    /// <summary>Divides what is left.</summary>
    /// <param name="workers">The requested number of threads.</param>
    public DescriptorBudget(int workers)
    {
        int rest = FreeDescriptors.Count - Fixed;
        IsEnough = rest >= Least;
        Workers = Math.Clamp(workers, 1, Math.Max(rest / (4 * PerWorker), 1));
        OpenPairs = Math.Clamp(rest / 4, Workers + 2, MostPairs);
        int forFiles = rest / 4 / Workers;
        Batch = Math.Clamp(forFiles / 4, 1, FileBatch.MostFiles);
        ToClose = Math.Clamp(forFiles - (2 * Batch), 2, MostToClose);
    }

    /// <summary>Whether it is sufficient for cloning at all.</summary>
    public bool IsEnough { get; }

    /// <summary>The maximum number of threads.</summary>
    public int Workers { get; }

    /// <summary>The maximum number of open directory pairs, with two descriptors each.</summary>
    public int OpenPairs { get; }

    /// <summary>The maximum number of files that each worker clones together, with two descriptors each.</summary>
    public int Batch { get; }

    /// <summary>The maximum number of finished files that each worker may leave open.</summary>
    public int ToClose { get; }
}
