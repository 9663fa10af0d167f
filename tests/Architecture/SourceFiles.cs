namespace BtrfsClone.Architecture;

/// <summary>Source files of a project.</summary>
public static class SourceFiles
{
    /// <summary>All of a project's own, relative to its folder, sorted.</summary>
    public static IEnumerable<string> In(string folder) => Directory
        .EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(folder, file))
        .Where(file => !file.StartsWith("bin/", StringComparison.Ordinal) && !file.StartsWith("obj/", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal);
}
