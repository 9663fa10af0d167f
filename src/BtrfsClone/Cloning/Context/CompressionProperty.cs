using System.Globalization;

namespace BtrfsClone.Cloning;

/// <summary>Values of btrfs's property "compression", which holds for what is written later.</summary>
public static class CompressionProperty
{
    /// <summary>What may be given, in words.</summary>
    public const string Choices = "zstd or zstd:1 to zstd:15, zlib or zlib:1 to zlib:9, lzo, or none";

    /// <summary>The xattr that it is.</summary>
    internal static ReadOnlySpan<byte> Xattr => "btrfs.compression"u8;

    /// <summary>Whether a value is one. The kernel takes any number for a level, and looks at it only when it compresses.</summary>
    /// <param name="value">The algorithm, with a colon and a level where it has levels.</param>
    public static bool IsValid(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        string[] parts = value.Split(':');
        int most = parts[0] switch { "zstd" => 15, "zlib" => 9, _ => 0 };
        return value is "zstd" or "zlib" or "lzo" or "none" ||
            (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int level) &&
                level >= 1 && level <= most);
    }
}
