using BtrfsClone.Cloning;

namespace BtrfsClone.Optimizing;

/// <summary>An extent that is being replaced.</summary>
/// <param name="extent">The extent.</param>
/// <param name="gain">The bytes that are to come free.</param>
/// <param name="replacement">What of it is in use.</param>
internal sealed class Rewrite(UsedExtent extent, long gain, Replacement replacement)
{
    public UsedExtent Extent => extent;

    public long Gain => gain;

    /// <summary>What of it is in use by now.</summary>
    public Replacement Replacement { get; set; } = replacement;

    /// <summary>Where that is written; null where that failed.</summary>
    public ReplacementFile? File { get; set; }

    /// <summary>Where in the file it begins.</summary>
    public long At { get; set; }

    /// <summary>The bytes of all extents that have been written for it and that somebody uses.</summary>
    public long NewLength { get; set; }

    /// <summary>What has failed in the last round.</summary>
    public Failure Failure { get; set; }

    /// <summary>It is not worth it.</summary>
    public bool IsGivenUp { get; set; }
}
