using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What cannot be cloned is refused with its own error before anything is written.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RefusalTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [Theory]
    [InlineData(-1)]
    [InlineData(65)]
    public void A_number_of_threads_that_there_cannot_be(int workers) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new CloneOptions { Workers = workers });

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_missing_source() => AssertRefused(BtrfsError.SourceNotFound, At("missing"), At("new"));

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_destination_in_a_missing_directory() =>
        AssertRefused(BtrfsError.DestinationNotFound, NewFile("file"), At("missing/new"));

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_path_that_leads_through_a_file_or_in_a_circle()
    {
        NewFile("file");
        File.CreateSymbolicLink(At("circle"), "circle");

        AssertRefused(BtrfsError.NotADirectory, At("file/x"), At("new"));
        AssertRefused(BtrfsError.NotADirectory, At("file"), At("file/x/y"));
        AssertRefused(BtrfsError.SourceNotFound, At("circle/x"), At("new"));
        AssertRefused(BtrfsError.DestinationNotFound, At("file"), At("circle/x/y"));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_file_to_a_name_that_a_slash_makes_a_directorys()
    {
        NewFile("file");
        NewFile("other");
        Directory.CreateDirectory(At("directory"));

        AssertRefused(BtrfsError.DestinationNotFound, At("file"), At("new/"));
        AssertRefused(BtrfsError.DestinationNotFound, At("file"), At("other/"));
        Cloner.Clone(At("directory"), At("new/"));

        Assert.True(Directory.Exists(At("new")));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_directory_below_itself()
    {
        NewFile("tree/inner/file");
        File.CreateSymbolicLink(At("link"), "tree/inner");

        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("tree"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("tree/new"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("tree/inner"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("tree/inner/new"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("link"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), At("link/new"));
        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), CloneDestination.Into(At("tree/a/b")));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_directory_onto_itself()
    {
        NewFile("tree/file");

        AssertRefused(BtrfsError.DestinationInsideSource, At("tree"), CloneDestination.Into(_folder));
    }

    [BtrfsFact]
    public void A_directory_whose_name_only_starts_alike_is_not_below()
    {
        NewFile("tree/file");

        Cloner.Clone(At("tree"), At("tree2"));

        Assert.True(File.Exists(At("tree2/file")));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_file_onto_itself()
    {
        string file = NewFile("file");
        Shell.Check("ln", file, At("same"));
        File.CreateSymbolicLink(At("here"), ".");

        AssertRefused(BtrfsError.SameFile, file, file);
        AssertRefused(BtrfsError.SameFile, file, _folder);
        AssertRefused(BtrfsError.SameFile, file, At("here/file"));
        AssertRefused(BtrfsError.SameFile, file, At("same"));
    }

    [BtrfsFact(Needs = TreeFacts.Tools)]
    public void A_directory_over_a_file_and_a_file_over_a_directory()
    {
        NewFile("tree/file");
        NewFile("clones/tree");
        NewFile("name");
        NewFile("clones/name/file");

        AssertRefused(BtrfsError.DestinationExists, At("tree"), At("name"));
        AssertRefused(BtrfsError.DestinationExists, At("tree"), At("clones"));
        AssertRefused(BtrfsError.DestinationExists, At("name"), At("clones"));
    }

    [RootFact(Needs = TreeFacts.Tools)]
    public void Another_filesystem()
    {
        using ScratchImage other = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        NewFile("tree/file");

        AssertRefused(BtrfsError.CrossDevice, At("tree"), Path.Combine(other.Root, "new"), other.Root);
        AssertRefused(BtrfsError.CrossDevice, At("tree/file"), Path.Combine(other.Root, "new"), other.Root);
    }

    [RootFact(Needs = TreeFacts.Tools)]
    public void A_read_only_filesystem()
    {
        NewFile("tree/file");
        string mounted = Directory.CreateDirectory(At("mounted")).FullName;
        Directory.CreateDirectory(At("below"));
        Shell.Check("mount", "--bind", "-o", "ro", At("below"), mounted);
        try
        {
            AssertRefused(BtrfsError.ReadOnlyFileSystem, At("tree"), Path.Combine(mounted, "new"));
            AssertRefused(BtrfsError.ReadOnlyFileSystem, At("tree/file"), Path.Combine(mounted, "new"));
        }
        finally
        {
            Shell.Check("umount", mounted);
        }
    }

    [RootFact(Needs = TreeFacts.Tools)]
    public void A_destination_that_must_not_change()
    {
        NewFile("tree/file");
        Directory.CreateDirectory(At("frozen"));
        Shell.Check("chattr", "+i", At("frozen"));
        try
        {
            AssertRefused(BtrfsError.PermissionDenied, At("tree"), At("frozen/new"));
            AssertRefused(BtrfsError.PermissionDenied, At("tree/file"), At("frozen/new"));
        }
        finally
        {
            Shell.Check("chattr", "-i", At("frozen"));
        }
    }

    [RootFact(Needs = TreeFacts.Tools + " " + SwapFile.Tools)]
    public void An_active_swap_file()
    {
        using SwapFile swap = new(At("swap"));

        AssertRefused(BtrfsError.SwapFile, At("swap"), At("new"), attempted: true);
    }

    [RootFact(Needs = TreeFacts.Tools)]
    public void A_quota_that_is_used_up()
    {
        using ScratchImage other = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet");
        string subvolume = Path.Combine(other.Root, "limited");
        Shell.Check("btrfs", "subvolume", "create", subvolume);
        Shell.Check("btrfs", "quota", "enable", other.Root);
        Shell.Check("btrfs", "quota", "rescan", "-w", other.Root);
        string file = Path.Combine(other.Root, "file");
        File.WriteAllBytes(file, new byte[8 << 20]);
        Shell.Check("sync", "--file-system", other.Root);
        Shell.Check("btrfs", "qgroup", "limit", "64K", subvolume);

        AssertRefused(BtrfsError.QuotaExceeded, file, Path.Combine(subvolume, "new"), subvolume);
    }

    private void AssertRefused(
        BtrfsError error, string source, string destination, string? witnessed = null, bool attempted = false) =>
        AssertRefused(error, source, CloneDestination.Named(destination), witnessed, attempted);

    /// <param name="error">The error that is expected.</param>
    /// <param name="source">The item.</param>
    /// <param name="destination">Where it is to go.</param>
    /// <param name="witnessed">The directory that must stay as it is; null for the test's folder.</param>
    /// <param name="attempted">
    /// Whether only the kernel can tell, when it is asked to clone: the attempt changes the directory's times.
    /// </param>
    private void AssertRefused(
        BtrfsError error, string source, CloneDestination destination, string? witnessed = null, bool attempted = false)
    {
        TreeFacts before = TreeFacts.Of(witnessed ?? _folder);
        using Cloner cloner = new();

        BtrfsException refusal = Assert.Throws<BtrfsException>(() => cloner.Clone(source, destination));

        Assert.Equal(error, refusal.Error);
        Assert.Empty(cloner.Failures);
        before.AssertEqual(
            TreeFacts.Of(witnessed ?? _folder),
            attempted ? ["mtime", .. TreeFacts.Unstable(btrfs)] : TreeFacts.Unstable(btrfs));
    }

    private string At(string path) => Path.Combine(_folder, path);

    private string NewFile(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllBytes(At(path), [1, 2, 3]);
        return At(path);
    }
}
