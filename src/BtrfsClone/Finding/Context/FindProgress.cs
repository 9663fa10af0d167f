using System.Diagnostics;

namespace BtrfsClone.Finding;

/// <summary>What a search is doing.</summary>
public enum FindPhase
{
    /// <summary>It finds files, and where they lie.</summary>
    Collecting,

    /// <summary>It compares their blocks.</summary>
    Comparing,

    /// <summary>It writes groups, as fast as they are taken.</summary>
    Writing,
}

/// <summary>How far a search is. It may be read at any time, on any thread.</summary>
public sealed class FindProgress
{
    private long _began = Stopwatch.GetTimestamp();
    private long _files;
    private long _work;
    private long _done;
    private long _groups;

    /// <summary>What the search is doing.</summary>
    public FindPhase Phase { get; private set; }

    /// <summary>Files that were found so far.</summary>
    public long Files => Volatile.Read(ref _files);

    /// <summary>Groups that were written so far.</summary>
    public long Groups => Volatile.Read(ref _groups);

    /// <summary>Groups that were left out since their files had changed, or gone, before the end of the search.</summary>
    public long Stale { get; internal set; }

    /// <summary>
    /// How much of the phase is done, from 0 to 1: of the comparing by blocks, of the writing by bytes. Null while files
    /// are found, as nobody knows how many there are.
    /// </summary>
    public double? Fraction
    {
        get
        {
            long work = Volatile.Read(ref _work);
            return work == 0 ? null : Math.Min((double)Volatile.Read(ref _done) / work, 1);
        }
    }

    /// <summary>How long the rest of the phase takes at the speed so far; null as long as that is not known.</summary>
    public TimeSpan? TimeLeft => Fraction is double fraction and > 0.01
        ? Stopwatch.GetElapsedTime(Volatile.Read(ref _began)) * ((1 - fraction) / fraction)
        : null;

    internal void SetFiles(long files) => Volatile.Write(ref _files, files);

    internal void AddGroup() => Interlocked.Increment(ref _groups);

    internal void Add(long done) => Interlocked.Add(ref _done, done);

    /// <summary>Begins with a phase.</summary>
    /// <param name="phase">The phase.</param>
    /// <param name="work">All that there is to do in it; 0 where that is not known.</param>
    internal void Start(FindPhase phase, long work)
    {
        Phase = phase;
        Volatile.Write(ref _began, Stopwatch.GetTimestamp());
        Volatile.Write(ref _done, 0);
        Volatile.Write(ref _work, work);
    }
}
