using BtrfsClone.Benchmarks.Measuring;
using BtrfsClone.Benchmarks.Scenarios;

namespace BtrfsClone.Benchmarks.Trees;

/// <summary>A copy of a tree of this machine.</summary>
internal static class RealTree
{
    /// <summary>Copies the tree, or as many of its top directories as the scale asks for.</summary>
    public static string Copy(Site site)
    {
        string destination = Directory.CreateDirectory(site.At(Site.Source)).FullName;
        (string Path, long Files)[] tops =
            [.. Directory.EnumerateFileSystemEntries(site.Options.Tree).Order(StringComparer.Ordinal).Select(p => (p, Count(p, "f")))];
        double wanted = tops.Sum(t => t.Files) * Math.Min(1, site.Options.Scale);
        long taken = 0;
        foreach ((string path, long files) in tops)
        {
            // A top that is too large for a small scale is left out.
            if (taken + files <= wanted)
            {
                Execution.Check("cp", "--archive", path, destination);
                taken += files;
            }
        }

        return $"{site.Options.Tree}: {Site.Show(taken)} files, {Site.Show(Count(destination, "d"))} directories, " +
            $"{Site.Show(Count(destination, "l"))} symbolic links";
    }

    /// <summary>As <see cref="Copy"/>, and the source is a subvolume.</summary>
    public static string CopyIntoSubvolume(Site site)
    {
        Execution.Check("btrfs", "subvolume", "create", site.At(Site.Source));
        return Copy(site) + ", a subvolume";
    }

    /// <summary>The tree and its clone, as the source's two halves.</summary>
    public static string CopyAndClone(Site site)
    {
        string shown = Copy(site);
        string half = site.At(Site.First);
        Directory.Move(site.At(Site.Source), half);
        Directory.CreateDirectory(site.At(Site.Source));
        Execution.Check("mv", half, $"{site.At(Site.Source)}/{Site.First}");
        Execution.Check(
            "cp", "--archive", "--reflink=always", $"{site.At(Site.Source)}/{Site.First}", $"{site.At(Site.Source)}/{Site.Second}");
        return shown + ", and their clone";
    }

    private static long Count(string path, string type) =>
        Execution.Check("find", path, "-type", type, "-printf", "x").LongCount(c => c == 'x');
}
