using System.Globalization;

namespace BtrfsClone.PowerShell;

/// <summary>How the views (BtrfsClone.Format.ps1xml) show values.</summary>
public static class ViewText
{
    private static readonly string[] s_units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>A number of bytes for display, in a unit in which it is at least 1 and below 1024. At most 10 characters.</summary>
    /// <param name="bytes">The number; null means unknown, and gives an empty text.</param>
    public static string Size(double? bytes)
    {
        if (bytes is not double size || size < 1024)
        {
            return bytes is null ? "" : $"{bytes} B";
        }

        size /= 1024;
        int unit = 0;
        for (; size >= 1023.95 && unit < s_units.Length - 1; unit++)
        {
            size /= 1024;
        }

        return $"{size.ToString("0.#", CultureInfo.CurrentCulture)} {s_units[unit]}";
    }

    /// <summary>A name or path as one line: no control character in it reaches the terminal.</summary>
    /// <param name="path">The path; null gives an empty text.</param>
    public static string Line(string? path) => path is null ? "" : PathText.Printable(path);

    /// <summary>The directory of a path, as one line.</summary>
    /// <param name="path">The path; null gives an empty text.</param>
    public static string Directory(string? path) => Line(path is "/" ? path : Path.GetDirectoryName(path));
}
