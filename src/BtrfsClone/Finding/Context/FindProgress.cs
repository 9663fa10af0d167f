using System.Diagnostics;

namespace BtrfsClone.Finding;

/// <summary>The phases of a search.</summary>
public enum FindPhase
{
    /// <summary>Finding files and their extents.</summary>
    Collecting,

    /// <summary>Comparing their blocks.</summary>
    Comparing,

    /// <summary>Writing groups, as fast as the caller consumes them.</summary>
    Writing,
}

/// <summary>The progress of a search. It can be read at any time, on any thread.</summary>
public sealed class FindProgress
{
    private long _began = Stopwatch.GetTimestamp();
    private long _files;
    private long _work;
    private long _done;
    private long _groups;

    /// <summary>The current phase.</summary>
    public FindPhase Phase { get; private set; }

    /// <summary>The number of files found so far.</summary>
    public long Files => Volatile.Read(ref _files);

    /// <summary>The number of groups written so far.</summary>
    public long Groups => Volatile.Read(ref _groups);

    /// <summary>
    /// The number of groups that were dropped because their files had changed or been deleted before the end of the search.
    /// </summary>
    public long Stale { get; internal set; }

    /// <summary>
    /// The completed fraction of the phase, from 0 to 1: in blocks while comparing, in bytes while writing. Null while files are
    /// being found, since their number is unknown.
    /// </summary>
    public double? Fraction
    {
        get
        {
            long work = Volatile.Read(ref _work);
            return work == 0 ? null : Math.Min((double)Volatile.Read(ref _done) / work, 1);
        }
    }

    /// <summary>The estimated time for the rest of the phase; null while it is unknown.</summary>
    public TimeSpan? TimeLeft => Fraction is double fraction and > 0.01
        ? Stopwatch.GetElapsedTime(Volatile.Read(ref _began)) * ((1 - fraction) / fraction)
        : null;

    internal void SetFiles(long files) => Volatile.Write(ref _files, files);

    internal void AddGroup() => Interlocked.Increment(ref _groups);

    internal void Add(long done) => Interlocked.Add(ref _done, done);

    /// <summary>Starts a phase.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="work">The total amount of work; 0 if it is unknown.</param>
    internal void Start(FindPhase phase, long work)
    {
        Phase = phase;
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        Volatile.Write(ref _done, 0);
        Volatile.Write(ref _work, work);
    }
}
