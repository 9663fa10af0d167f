using System.Globalization;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>Where a source is made, and how large.</summary>
/// <param name="Root">The scratch file system's root.</param>
/// <param name="Options">What the command line asks for.</param>
internal sealed record Site(string Root, Options Options)
{
    /// <summary>
    /// The usual source's name. Names are short, because cp knows full paths only, and PATH_MAX ends them.
    /// </summary>
    public const string Source = "s";

    /// <summary>The names of the halves of a source that has two.</summary>
    public const string First = "a", Second = "b";

    /// <summary>The full path of a name below the root.</summary>
    public string At(string name) => $"{Root}/{name}";

    /// <summary>A number of the full size, scaled; at least one.</summary>
    public int Scaled(int full) => (int)Math.Max(1, Math.Round(full * Options.Scale));

    /// <summary>A number with its thousands parted.</summary>
    public static string Show(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
