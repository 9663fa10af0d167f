using BtrfsClone.Benchmarks.Scenarios;

namespace BtrfsClone.Benchmarks;

/// <summary>What the command line asks for.</summary>
internal sealed record Options
{
    /// <summary>The scenarios to run, by their ids; empty for all.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];

    /// <summary>Measured rounds for each scenario and cache state.</summary>
    public int Runs { get; init; } = 5;

    /// <summary>What the scenarios' sizes are multiplied by.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The floor program, or null.</summary>
    public string? Floor { get; init; }

    /// <summary>More commands to run against, each taking a source and a destination at its end.</summary>
    public IReadOnlyList<string> Against { get; init; } = [];

    /// <summary>The tree that scenario a clones a copy of.</summary>
    public string Tree { get; init; } = "/usr/share";

    /// <summary>Which caches to run with: warm, cold or both.</summary>
    public IReadOnlyList<CacheState> Caches { get; init; } = [CacheState.Warm, CacheState.Cold];
}
