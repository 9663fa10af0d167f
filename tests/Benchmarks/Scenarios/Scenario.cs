namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>What the kernel holds of the source when a run starts.</summary>
internal enum CacheState
{
    /// <summary>All of it: a run before has read it.</summary>
    Warm,

    /// <summary>Nothing, nor of the programs themselves: the page, dentry and inode caches have been dropped.</summary>
    Cold,

    /// <summary>Pages that were just written and not yet written out.</summary>
    Dirty,
}

/// <summary>A command to measure.</summary>
/// <param name="File">The program.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record CommandLine(string File, params string[] Arguments)
{
    /// <summary>Whether the last line of its output is the time in seconds, taken inside of it.</summary>
    public bool TimesItself { get; init; }
}

/// <summary>One of those that a scenario compares.</summary>
/// <param name="Name">How the report calls it.</param>
/// <param name="Command">The command that makes a clone of its first argument under the name of its second.</param>
internal sealed record Contender(string Name, Func<string, string, CommandLine> Command)
{
    /// <summary>The source's name below the scratch file system's root.</summary>
    public string Source { get; init; } = Site.Source;

    /// <summary>The command that it needs on the search path, or a full path.</summary>
    public string Needs { get; init; } = "";

    /// <summary>The largest ratio (the subject's wall time to this one's) that the project accepts, or null.</summary>
    public double? Target { get; init; }
}

/// <summary>A source, and who is to clone it.</summary>
internal sealed record Scenario
{
    public required string Id { get; init; }

    public required string Title { get; init; }

    /// <summary>Makes the source. Returns what it holds.</summary>
    public required Func<Site, string> Build { get; init; }

    /// <summary>Ours.</summary>
    public required Contender Subject { get; init; }

    public required IReadOnlyList<Contender> Peers { get; init; }

    /// <summary>What clones the random tree at the scenario's end; null for <see cref="Subject"/>.</summary>
    public Contender? Checked { get; init; }

    /// <summary>Whether the subject's destination equals its source afterwards.</summary>
    public bool Clones { get; init; } = true;

    /// <summary>
    /// How each run finds a source of its own: <see cref="CacheState.Dirty"/> or, written out, <see cref="CacheState.Warm"/> or
    /// <see cref="CacheState.Cold"/>. Null where all runs have one source.
    /// </summary>
    public CacheState? Fresh { get; init; }

    /// <summary>Whether the chart shows it: not where ours is held against ourselves.</summary>
    public bool Charted { get; init; } = true;

    /// <summary>The size of the sparse image in bytes.</summary>
    public long ImageSize { get; init; } = 16L << 30;
}
