using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>How a session shares out the descriptors that the process may still open.</summary>
internal sealed class DescriptorBudget
{
    // The directories above the items, a staging folder and its parent, or a snapshot and its folder.
    private const int Fixed = 6;

    private const int PerWorker = 4; // A file on either side, and another one or directory that is looked at.
    private const int Least = 12;
    private const int MostPairs = 256;
    private const int MostToClose = 64;

    /// <summary>Shares out what is left.</summary>
    /// <param name="workers">How many threads are to work.</param>
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

    /// <summary>Whether a clone can be made at all.</summary>
    public bool IsEnough { get; }

    /// <summary>How many threads may work.</summary>
    public int Workers { get; }

    /// <summary>How many directory pairs may be open at once: two descriptors each.</summary>
    public int OpenPairs { get; }

    /// <summary>How many files each worker may clone together: two descriptors each.</summary>
    public int Batch { get; }

    /// <summary>How many files that are done with each worker may leave open.</summary>
    public int ToClose { get; }
}
