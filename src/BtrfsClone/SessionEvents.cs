namespace BtrfsClone;

/// <summary>The events of a session. They are always raised on the thread that uses the session, never concurrently.</summary>
public record SessionEvents
{
    /// <summary>Receives each failure inside a tree. A failure of the item itself is thrown as an exception.</summary>
    public required Action<BtrfsException> OnFailure { get; init; }

    /// <summary>
    /// Receives the path of each directory that was not entered because another filesystem is mounted on it, and a description of
    /// that filesystem. It is also raised if the options request skipping it.
    /// </summary>
    public Action<string, string>? OnPassedOver { get; init; }

    /// <summary>
    /// Receives the source and destination paths of each entry that has been cloned, as an item or as part of a tree. A directory
    /// is reported once it is created, before its contents; an existing one is not reported. With an atomic clone nothing is at its
    /// final path yet.
    /// </summary>
    public Action<string, string>? OnCloned { get; init; }

    /// <summary>Called from time to time, at most every 50 ms, to show progress.</summary>
    public Action? OnTick { get; init; }
}
