namespace BtrfsClone.PowerShell;

/// <summary>Where <c>Get-Help -Online</c> leads.</summary>
internal static class OnlineHelp
{
    /// <summary>The module's page in the gallery: the one address on the web that the package itself brings about.</summary>
    public const string Uri = "https://www.powershellgallery.com/packages/BtrfsClone";
}
