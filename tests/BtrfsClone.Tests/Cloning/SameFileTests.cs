using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>
/// What would be replaced by itself is left alone, by whatever names and links the two are known. cp(1) refuses the same.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SameFileTests(ScratchBtrfs btrfs)
{
    private const string Needs = TreeFacts.Tools + " cp";

    private readonly string _folder = btrfs.NewFolder();

    public static TheoryData<string, string> Names => new()
    {
        { "link", "file" },
        { "file", "link" },
        { "link-to-link", "file" },
        { "file", "link-to-link" },
        { "absolute", "file" },
        { "file", "absolute" },
        { "link", "other-name" },
        { "other-name", "link" },
        { "link-of-other-name", "file" },
        { "there-and-back", "file" },
        { "link-to-fifo", "fifo" },
        { "fifo", "link-to-fifo" },
        { "other-link", "link" },
    };

    [BtrfsTheory(Needs = Needs)]
    [MemberData(nameof(Names))]
    public void An_item_and_its_destination(string source, string destination) =>
        AssertRefused(new CloneOptions(), source, destination);

    [BtrfsTheory(Needs = Needs)]
    [MemberData(nameof(Names))]
    public void An_item_that_is_to_appear_at_once(string source, string destination) =>
        AssertRefused(new CloneOptions { Atomic = true }, source, destination);

    [RootTheory(Needs = Needs)]
    [MemberData(nameof(Names))]
    public void An_item_in_a_snapshot(string source, string destination) =>
        AssertRefused(new CloneOptions { PointInTime = true, SingleItem = true }, source, destination);

    [RootFact(Needs = Needs)]
    public void A_file_onto_itself_by_way_of_a_snapshot() =>
        AssertRefused(new CloneOptions { PointInTime = true, SingleItem = true }, "file", "file");

    [BtrfsFact(Needs = Needs)]
    public void A_link_that_leads_elsewhere_is_replaced()
    {
        MakeNames();
        File.CreateSymbolicLink(At("elsewhere"), "no/such/file");

        Cloner.Clone(At("file"), At("elsewhere"));
        Cloner.Clone(At("link"), At("dangling"));

        Assert.Equal("precious", File.ReadAllText(At("elsewhere")));
        Assert.Equal("file", new FileInfo(At("dangling")).LinkTarget);
    }

    [BtrfsTheory(Needs = Needs)]
    [InlineData(false)]
    [InlineData(true)]
    public void Entries_of_trees(bool linkIsSource)
    {
        Directory.CreateDirectory(At("src/inner"));
        Directory.CreateDirectory(At("dst/src/inner"));
        (string file, string link, string target) = linkIsSource
            ? ("dst/src/inner/f", "src/inner/f", "../../dst/src/inner/f")
            : ("src/inner/f", "dst/src/inner/f", "../../../src/inner/f");
        File.WriteAllText(At(file), "precious");
        File.CreateSymbolicLink(At(link), target);
        File.WriteAllText(At("src/inner/g"), "another");
        TreeFacts before = TreeFacts.Of(At("dst/src/inner"));
        using Cloner cloner = new();

        CloneResult result = cloner.Clone(At("src"), CloneDestination.Into(At("dst")));

        Assert.Equal(1, Shell.Run("cp", "-a", At("src"), At("dst")).ExitCode);
        BtrfsException failure = Assert.Single(cloner.Failures);
        Assert.Equal((BtrfsError.SameFile, At("dst/src/inner/f")), (failure.Error, failure.Path));
        Assert.Equal((1, 1), (result.Failed, result.Files));
        Assert.Equal("precious", File.ReadAllText(At("src/inner/f")));
        Assert.Equal(["f", "g"], Directory.GetFiles(At("dst/src/inner")).Select(Path.GetFileName).Order());
        Assert.Equal(before.Entries["f"], TreeFacts.Of(At("dst/src/inner")).Entries["f"]);
    }

    private void AssertRefused(CloneOptions options, string source, string destination)
    {
        MakeNames();
        TreeFacts before = TreeFacts.Of(_folder);
        using (Cloner cloner = new(options))
        {
            BtrfsException refusal = Assert.Throws<BtrfsException>(
                () => cloner.Clone(At(source), CloneDestination.Named(At(destination))));

            Assert.Equal((BtrfsError.SameFile, At(destination)), (refusal.Error, refusal.Path));
            Assert.Empty(cloner.Failures);
        }

        // A snapshot's folder is made in the directory and removed again.
        before.AssertEqual(
            TreeFacts.Of(_folder),
            options.PointInTime ? ["mtime", .. TreeFacts.Unstable(btrfs)] : TreeFacts.Unstable(btrfs));
        if (source != "other-link")
        {
            // cp(1) leaves a link that leads to itself there.
            Assert.Equal(1, Shell.Run("cp", "-a", At(source), At(destination)).ExitCode);
        }
    }

    private void MakeNames()
    {
        File.WriteAllText(At("file"), "precious");
        Shell.Check("ln", At("file"), At("other-name"));
        Shell.Check("mkfifo", At("fifo"));
        Directory.CreateDirectory(At("directory"));
        foreach ((string link, string target) in new[]
        {
            ("link", "file"), ("link-to-link", "link"), ("absolute", At("file")), ("link-of-other-name", "other-name"),
            ("there-and-back", "directory/../link-to-link"), ("link-to-fifo", "fifo"), ("other-link", "link"),
            ("dangling", "nowhere"),
        })
        {
            File.CreateSymbolicLink(At(link), target);
        }
    }

    private string At(string path) => Path.Combine(_folder, path);
}
