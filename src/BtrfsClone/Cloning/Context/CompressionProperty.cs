using System.Globalization;

namespace BtrfsClone.Cloning;

/// <summary>Values of btrfs's property "compression", which applies to data written later.</summary>
public static class CompressionProperty
{
    /// <summary>The allowed values, in words.</summary>
    public const string Choices =
        "zstd or zstd:1 to zstd:15, zlib or zlib:1 to zlib:9, lzo, none, or inherit for that of the destination's directory";

    /// <summary>The name of the xattr.</summary>
    internal static ReadOnlySpan<byte> Xattr => XattrName[..^1];

    /// <summary>The same, null-terminated.</summary>
    internal static ReadOnlySpan<byte> XattrName => "btrfs.compression\0"u8;

    /// <summary>
    /// Whether a value is valid, in any case. The kernel accepts any number as a level, and only interprets it when it compresses.
    /// </summary>
    /// <param name="value">The algorithm, with a colon and a level if it has levels; or "inherit".</param>
    public static bool IsValid(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        value = value.ToLowerInvariant();
        string[] parts = value.Split(':');
        int most = parts[0] switch { "zstd" => 15, "zlib" => 9, _ => 0 };
        return value is "zstd" or "zlib" or "lzo" or "none" || IsInherited(value) ||
            (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int level) &&
                level >= 1 && level <= most);
    }

    internal static bool IsInherited(string? value) => string.Equals(value, "inherit", StringComparison.OrdinalIgnoreCase);
}
