namespace BtrfsClone.Walking;

/// <summary>
/// The maximum number of concurrent threads, including the calling one. It is the same for the front ends and all sessions.
/// </summary>
internal static class WorkerLimit
{
    /// <summary>More threads bring no gain on one filesystem: they contend for its locks.</summary>
    public const int Most = 64;

    /// <summary>One per processor.</summary>
    public static int Usual => Math.Clamp(Environment.ProcessorCount, 1, Most);
}
