namespace BtrfsClone.Walking;

/// <summary>How many threads may work at once, the calling one included. The front ends and all sessions have the same limit.</summary>
internal static class WorkerLimit
{
    /// <summary>More do not come forward on one filesystem: they wait for each other at its locks.</summary>
    public const int Most = 64;

    /// <summary>One for each processor.</summary>
    public static int Usual => Math.Clamp(Environment.ProcessorCount, 1, Most);
}
