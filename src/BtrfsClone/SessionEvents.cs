namespace BtrfsClone;

/// <summary>
/// What a session tells while it works: always on the thread that works with the session, never on two at a time.
/// </summary>
public record SessionEvents
{
    /// <summary>Takes each failure inside a tree. The item itself fails by an exception.</summary>
    public required Action<BtrfsException> OnFailure { get; init; }

    /// <summary>
    /// Takes the path of each directory that was not entered because another filesystem is mounted there, and what that is, in words.
    /// It is told also where the options ask for it.
    /// </summary>
    public Action<string, string>? OnPassedOver { get; init; }

    /// <summary>
    /// Takes each entry that has been cloned, by the paths of both, whole or as a part of a tree. A directory is told once it is
    /// made, before what is in it; one that was there is not told. With an atomic clone nothing is at its place yet.
    /// </summary>
    public Action<string, string>? OnCloned { get; init; }

    /// <summary>Is called now and then, at most every 50 ms, to show progress.</summary>
    public Action? OnTick { get; init; }
}
