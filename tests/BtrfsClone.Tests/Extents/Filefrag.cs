using System.Globalization;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Extents;

/// <summary>A line of <c>filefrag -v -b1</c>. Offsets and lengths are bytes.</summary>
internal sealed record FilefragExtent(long Offset, long Length, long Physical, string[] Flags)
{
    public long End => Offset + Length;

    public bool Is(string flag) => Flags.Contains(flag);
}

/// <summary>The extents of files, as filefrag tells them.</summary>
internal static class Filefrag
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "filefrag xargs";

    /// <summary>Asks for many files at once; paths are byte text.</summary>
    public static List<FilefragExtent>[] Of(IReadOnlyList<string> paths)
    {
        string listed = ByteText.FromBytes(Shell.CheckBytes(
            ByteText.ToBytes(string.Concat(paths.Select(p => p + '\0'))), "xargs", "-0", "filefrag", "-v", "-b1"));
        Scanner output = new(listed);
        return [.. paths.Select(path => Read(output, path))];
    }

    private static List<FilefragExtent> Read(Scanner output, string path)
    {
        if (output.At("Filesystem type is: "))
        {
            output.Until("\n");
        }

        output.Skip($"File size of {path} is ");
        output.Until("\n");
        List<FilefragExtent> extents = [];
        while (!output.At(path + ": "))
        {
            string[] columns = output.Until("\n").Split(':', StringSplitOptions.TrimEntries);
            if (columns[1] != "logical_offset")
            {
                extents.Add(new FilefragExtent(
                    First(columns[1]), First(columns[3]), First(columns[2]),
                    columns[^1].Split(',', StringSplitOptions.RemoveEmptyEntries)));
            }
        }

        output.Skip(path + ": ");
        output.Until("\n");
        return extents;
    }

    private static long First(string range) => long.Parse(range.Split('.')[0], CultureInfo.InvariantCulture);
}
