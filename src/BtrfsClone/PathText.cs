namespace BtrfsClone;

/// <summary>Paths as people read them.</summary>
public static class PathText
{
    /// <summary>A path as one line: control characters in names must not write to a terminal or part a line.</summary>
    /// <param name="path">Any path.</param>
    /// <returns>The path, each control character in it as <c>\x</c> and two hexadecimal digits.</returns>
    public static string Printable(string path) =>
        path.Any(char.IsControl)
            ? string.Concat(path.Select(c => char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString()))
            : path;
}
