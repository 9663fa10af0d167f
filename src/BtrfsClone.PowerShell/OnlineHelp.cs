namespace BtrfsClone.PowerShell;

/// <summary>The target of <c>Get-Help -Online</c>.</summary>
internal static class OnlineHelp
{
    /// <summary>The help pages on the project's site, whose address is the manifest's ProjectUri.</summary>
    public const string Pages = "https://btrfsclone.github.io/BtrfsClone/help/";
}
