namespace BtrfsClone.Optimizing;

/// <summary>Extents that are being replaced together.</summary>
/// <param name="group">The extents.</param>
internal sealed class Rewrite(ExtentGroup group)
{
    /// <summary>The extents that are still in use.</summary>
    public List<UsedExtent> Extents { get; } = [.. group.Extents];

    /// <summary>These, with their uses when they were looked up last.</summary>
    public ExtentGroup Group { get; private set; } = group;

    /// <summary>The data that was in use then.</summary>
    public Replacement Replacement { get; private set; } = new(group);

    /// <summary>Where it is written; null if this failed.</summary>
    public ReplacementFile? File { get; set; }

    /// <summary>Its offset in the file.</summary>
    public long At { get; set; }

    /// <summary>Whether references were moved to it in the last round.</summary>
    public bool HasMoved { get; set; }

    /// <summary>The size of all extents that were written for it and are in use.</summary>
    public long NewLength { get; set; }

    /// <summary>The failure of the last round.</summary>
    public OwnerFailure Failure { get; set; }

    /// <summary>It was written to several extents, and was therefore not worth it.</summary>
    public bool WasParted { get; set; }

    /// <summary>It is not worth it.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>Continues with the remaining extents, which were looked up again. False if they may not be replaced any more.</summary>
    public bool TryGoOn()
    {
        Group = new ExtentGroup(Extents[0]);
        bool mayMove = Group.MayMove;
        foreach (UsedExtent extent in Extents.Skip(1))
        {
            ExtentGroup other = new(extent);
            mayMove &= other.MayMove & Group.TryTake(other);
        }

        if (mayMove)
        {
            Replacement = new Replacement(Group);
        }

        return mayMove;
    }
}
