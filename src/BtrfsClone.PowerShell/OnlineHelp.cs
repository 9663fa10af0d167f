namespace BtrfsClone.PowerShell;

/// <summary>Where <c>Get-Help -Online</c> leads.</summary>
internal static class OnlineHelp
{
    /// <summary>Where the help pages are on the project's site, whose address is the manifest's ProjectUri.</summary>
    public const string Pages = "https://btrfsclone.github.io/BtrfsClone/help/";
}
