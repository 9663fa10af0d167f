namespace BtrfsClone.Optimizing;

/// <summary>Extents that are being replaced together.</summary>
/// <param name="group">The extents.</param>
internal sealed class Rewrite(ExtentGroup group)
{
    /// <summary>The extents that somebody uses still.</summary>
    public List<UsedExtent> Extents { get; } = [.. group.Extents];

    /// <summary>These, with what used them when they were looked up last.</summary>
    public ExtentGroup Group { get; private set; } = group;

    /// <summary>What of them was in use then.</summary>
    public Replacement Replacement { get; private set; } = new(group);

    /// <summary>Where that is written; null where that failed.</summary>
    public ReplacementFile? File { get; set; }

    /// <summary>Where in the file it begins.</summary>
    public long At { get; set; }

    /// <summary>Whether something of it has moved there in the last round.</summary>
    public bool HasMoved { get; set; }

    /// <summary>The bytes of all extents that have been written for it and that somebody uses.</summary>
    public long NewLength { get; set; }

    /// <summary>What has failed in the last round.</summary>
    public OwnerFailure Failure { get; set; }

    /// <summary>It was written in several extents, and was not worth it for that.</summary>
    public bool WasParted { get; set; }

    /// <summary>It is not worth it.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>
    /// Goes on with the extents that are left and have been looked up again. False where they may not be replaced any more.
    /// </summary>
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
