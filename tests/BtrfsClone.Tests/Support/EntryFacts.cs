using System.Globalization;

namespace BtrfsClone.Tests.Support;

/// <summary>What the system's tools say about one entry; a field's name to its value.</summary>
public sealed class EntryFacts : SortedDictionary<string, string>
{
    public EntryFacts()
        : base(StringComparer.Ordinal)
    {
    }

    /// <summary>The extents of a regular file that are neither shared nor inline, one line each.</summary>
    public string Unshared { get; set; } = "";

    /// <summary>Whether it is the empty directory that a snapshot has in the place of a nested subvolume.</summary>
    public bool IsPlaceholder { get; set; }

    public bool IsFile => this["type"] == "f";

    /// <summary>In bytes.</summary>
    public long Size => long.Parse(this["size"], CultureInfo.InvariantCulture);
}
