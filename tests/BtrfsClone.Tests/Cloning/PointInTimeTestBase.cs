using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What tests of clones of one moment share: a folder, and a look at what must not stay in it.</summary>
public abstract class PointInTimeTestBase(ScratchBtrfs btrfs)
{
    internal static CloneOptions Moment { get; } = new() { PointInTime = true };

    protected string Folder { get; } = btrfs.NewFolder();

    protected int TemporarySnapshots() => Shell.Check("btrfs", "subvolume", "list", "-o", btrfs.Root)
        .Split('\n').Count(line => line.Contains($" path {Path.GetFileName(Folder)}/", StringComparison.Ordinal) &&
            line.Contains("/.btrfs-clone-moment.", StringComparison.Ordinal));

    protected void AssertNothingStays(string place = "")
    {
        Assert.Equal(0, TemporarySnapshots());
        Assert.DoesNotContain(Entries(place), name => name.StartsWith(".btrfs-clone", StringComparison.Ordinal));
    }

    protected IEnumerable<string> Entries(string folder) => Names(At(folder));

    protected static IEnumerable<string> Names(string folder) =>
        Directory.GetFileSystemEntries(folder).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal);

    protected string At(string path) => Path.Combine(Folder, path);

    protected string NewFile(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), content);
        return At(path);
    }
}
