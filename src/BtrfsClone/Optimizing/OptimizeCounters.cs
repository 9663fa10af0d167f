namespace BtrfsClone.Optimizing;

/// <summary>Running totals of one item.</summary>
internal sealed class OptimizeCounters
{
    public long Files { get; set; }

    /// <inheritdoc cref="OptimizeResult.ExtentsReplaced"/>
    public long Replaced { get; set; }

    /// <inheritdoc cref="OptimizeResult.GainedLength"/>
    public long Gained { get; set; }

    /// <inheritdoc cref="OptimizeResult.WrittenLength"/>
    public long Written { get; set; }

    /// <inheritdoc cref="OptimizeResult.LeftLength"/>
    public long Left { get; set; }

    /// <inheritdoc cref="OptimizeResult.Failed"/>
    public long Failed { get; set; }
}
