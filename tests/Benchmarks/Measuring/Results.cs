using BtrfsClone.Benchmarks.Scenarios;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>What one contender did with one cache state.</summary>
/// <param name="Name">The contender.</param>
/// <param name="WallSeconds">The wall time of each round.</param>
/// <param name="MedianWallSeconds">Their median.</param>
/// <param name="MedianCpuSeconds">The median of user and system time, a session's start included.</param>
/// <param name="PeakMemory">The largest resident set of a run that was not timed, in bytes.</param>
internal sealed record ContenderResult(
    string Name,
    IReadOnlyList<double> WallSeconds,
    double MedianWallSeconds,
    double MedianCpuSeconds,
    long? PeakMemory);

/// <summary>The subject's wall time to a peer's, round by round.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Median">The median of the rounds' ratios.</param>
/// <param name="Lowest">The subject's best round.</param>
/// <param name="Highest">Its worst.</param>
/// <param name="Target">The largest median that the project accepts, or null.</param>
internal sealed record RatioResult(string Peer, double Median, double Lowest, double Highest, double? Target)
{
    /// <summary>Whether the target is met; null where there is none.</summary>
    public bool? Met => Target is null ? null : Median <= Target;
}

/// <summary>A scenario's rounds with one cache state; the subject comes first.</summary>
internal sealed record StateResult(
    CacheState Cache, IReadOnlyList<ContenderResult> Contenders, IReadOnlyList<RatioResult> Ratios);

/// <summary>What came of a scenario.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Title">Its title.</param>
/// <param name="Source">What the source held.</param>
/// <param name="Missing">What was not there to run against, or to run, and so was left out.</param>
/// <param name="EqualEntries">The entries of a random tree that the clone had equal in every field.</param>
/// <param name="Charted">Whether the chart shows it.</param>
/// <param name="States">The figures.</param>
internal sealed record ScenarioResult(
    string Id,
    string Title,
    string Source,
    IReadOnlyList<string> Missing,
    int EqualEntries,
    bool Charted,
    IReadOnlyList<StateResult> States);
