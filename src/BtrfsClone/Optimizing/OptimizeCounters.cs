namespace BtrfsClone.Optimizing;

/// <summary>Running totals of one item.</summary>
internal sealed class OptimizeCounters
{
    public long Files { get; set; }

    /// <inheritdoc cref="OptimizeResult.ExtentsReplaced"/>
    public long ExtentsReplaced { get; set; }

    /// <inheritdoc cref="OptimizeResult.ExtentsWritten"/>
    public long ExtentsWritten { get; set; }

    /// <inheritdoc cref="OptimizeResult.ExtentsLeft"/>
    public long ExtentsLeft { get; set; }

    /// <inheritdoc cref="OptimizeResult.GainedLength"/>
    public long Gained { get; set; }

    /// <inheritdoc cref="OptimizeResult.WrittenLength"/>
    public long Written { get; set; }

    /// <inheritdoc cref="OptimizeResult.LeftLength"/>
    public long Left { get; set; }

    /// <inheritdoc cref="OptimizeResult.HeldLength"/>
    public long Held { get; set; }

    /// <inheritdoc cref="OptimizeResult.Failed"/>
    public long Failed { get; set; }

    /// <summary>Resets the totals for another item.</summary>
    public void Clear()
    {
        (Files, ExtentsReplaced, ExtentsWritten, ExtentsLeft) = (0, 0, 0, 0);
        (Gained, Written, Left, Held, Failed) = (0, 0, 0, 0, 0);
    }
}
