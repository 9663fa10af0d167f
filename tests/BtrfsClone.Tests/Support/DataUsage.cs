using System.Globalization;
using System.Text.RegularExpressions;

namespace BtrfsClone.Tests.Support;

/// <summary>What btrfs-progs say of the data of a filesystem.</summary>
internal static partial class DataUsage
{
    /// <summary>The data bytes that a filesystem has in use, with all that was deleted gone.</summary>
    public static long Of(string root)
    {
        // This has the cleaner begin, which it does by itself every 30 s alone.
        Shell.Check("btrfs", "filesystem", "sync", root);
        Shell.Check("btrfs", "subvolume", "sync", root);
        Shell.Check("btrfs", "filesystem", "sync", root);
        return long.Parse(
            Used().Match(Shell.Check("btrfs", "filesystem", "df", "--raw", root)).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("^Data.*used=([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex Used();
}
