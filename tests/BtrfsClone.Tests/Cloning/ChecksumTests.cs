using BtrfsClone.Finding;
using BtrfsClone.Merging;
using BtrfsClone.Tests.Merging;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>
/// Files that were written with nodatasum: like NOCOW files they have no checksums, and share extents only with such, but no
/// flag says so. cp(1) is the witness for what the kernel lets through.
/// </summary>
public sealed class ChecksumTests : IDisposable
{
    private const string Reason = "a file without checksums (written with nodatasum) and a file with checksums cannot share extents";

    private readonly ScratchImage _image;
    private readonly byte[] _content = new byte[20_000];

    public ChecksumTests()
    {
        new Random(7).NextBytes(_content);
        _image = new ScratchImage(256L << 20, "noatime,nodatasum", "mkfs.btrfs", "--quiet", "--mixed");
        File.WriteAllBytes(At("bare"), _content);
        Shell.Check("sync", At("bare"));
        Shell.Check("mount", "-o", "remount,datasum", _image.Root);
        Directory.CreateDirectory(At("nocow"));
        Shell.Check("chattr", "+C", At("nocow"));
    }

    public void Dispose() => _image.Dispose();

    [RootFact(Needs = "chattr lsattr cp cmp")]
    public void A_clone_stays_NOCOW_where_that_makes_it_work()
    {
        Shell.Check("cp", "--reflink=always", At("bare"), At("nocow/witness"));

        foreach (string[] words in new string[][]
        {
            ["copy", At("bare"), At("nocow")], ["copy", At("bare"), At("nocow")], ["copy", At("bare"), At("nocow/other")],
            ["copy", "--atomic", At("bare"), At("nocow/atomic")],
        })
        {
            Assert.Equal(new ShellResult(0, "", ""), Support.Program.Run(words));
        }

        foreach (string name in (string[])["bare", "other", "atomic"])
        {
            Shell.Check("cmp", At("bare"), At("nocow/" + name));
            Assert.Contains('C', Shell.Check("lsattr", At("nocow/" + name)).Split(' ')[0]);
            Assert.Equal(BlockMap.Of(At("bare")), BlockMap.Of(At("nocow/" + name)));
        }

        // What has checksums cannot be NOCOW, and keeps its own flags.
        File.WriteAllBytes(At("plain"), _content);
        Assert.Equal(0, Support.Program.Run("copy", At("plain"), At("nocow/plain")).ExitCode);
        Assert.DoesNotContain('C', Shell.Check("lsattr", At("nocow/plain")).Split(' ')[0]);
    }

    [RootFact(Needs = "chattr cp")]
    public void Elsewhere_the_reason_is_told()
    {
        Assert.NotEqual(0, Shell.Run("cp", "--reflink=always", At("bare"), At("witness")).ExitCode);

        ShellResult result = Support.Program.Run("copy", At("bare"), At("clone"));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"bare: {Reason}: FICLONE: Invalid argument. ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a NOCOW file", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("clone")));
    }

    [RootTheory(Needs = "chattr")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_merge_shares_what_the_kernel_lets_be_shared_and_its_preview_says_so(bool isNoCow)
    {
        string path = At(isNoCow ? "nocow/copy" : "copy");
        File.WriteAllBytes(path, _content);
        Shell.Check("sync", path);
        foreach (bool preview in (bool[])[true, false])
        {
            using Merger merger = new(preview);
            if (isNoCow)
            {
                merger.Merge(At("bare"), path, CancellationToken.None);

                Assert.Equal(_content.Length, Assert.Single(merger.Results).DedupedLength);
                Assert.Equal(!preview, BlockMap.Of(At("bare")).SequenceEqual(BlockMap.Of(path)));
            }
            else
            {
                var failure = Assert.Throws<BtrfsException>(() => merger.Merge(At("bare"), path, CancellationToken.None));
                Assert.Equal((BtrfsError.NoCowMismatch, Reason), (failure.Error, failure.Description));
            }
        }
    }

    [RootFact(Needs = "sync")]
    public void A_group_of_duplicates_with_and_without_checksums_is_refused_with_the_reason()
    {
        File.WriteAllBytes(At("copy"), _content);
        Shell.Check("sync", At("copy"));
        BtrfsDuplicate group = new(
            nameof(DuplicateKind.File), _content.Length, 2, 0, [new DuplicatePlace(At("bare"), 0), new DuplicatePlace(At("copy"), 0)]);
        List<BtrfsException> failures = [];

        Assert.Empty(new DuplicateMerger(new SessionEvents { OnFailure = failures.Add }).Merge(group, CancellationToken.None));

        BtrfsException failure = Assert.Single(failures);
        Assert.Equal((BtrfsError.NoCowMismatch, At("copy"), Reason), (failure.Error, failure.Path, failure.Description));
        Assert.Empty(Finding.Finder.Find(new FindOptions(), _image.Root));
    }

    private string At(string path) => Path.Combine(_image.Root, path);
}
