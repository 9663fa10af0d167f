using BtrfsClone.Merging;
using BtrfsClone.Tests.Support;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Merging;

/// <summary>Merging trees by relative path.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class TreeMergeTests(ScratchBtrfs btrfs)
{
    private const int Block = BlockMap.Block;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = RandomTree.Tools + " " + TreeFacts.Tools + " cp btrfs")]
    public void A_copied_tree_shares_its_data_again_and_nothing_else_changes()
    {
        RandomTree.Make(At("reference"), seed: 61, new TreeShape { WideEntries = 10, Files = 120 });
        Shell.Check("cp", "--archive", "--reflink=never", "--sparse=always", At("reference"), At("path"));
        TreeFacts reference = TreeFacts.Of(At("reference"));
        TreeFacts before = TreeFacts.Of(At("path"));
        string times = Times();
        using Merger merger = new();

        merger.Merge(At("reference"), At("path"), CancellationToken.None);

        // Files of which only one is NOCOW: cp does not keep the flag.
        string[] noCow =
        [
            .. reference.Entries.Where(e => e.Value.IsFile && e.Value[TreeFacts.Flags].Contains('C', StringComparison.Ordinal))
                .Select(e => ByteText.Show(e.Key)),
        ];
        Assert.All(merger.Failures, f => Assert.Equal(BtrfsError.NoCowMismatch, f.Error));
        Assert.True(merger.Failures.Count <= noCow.Length);
        Assert.Empty(merger.Skipped);
        int files = reference.Entries.Values.Count(e => e.IsFile);
        Assert.Equal(files, merger.Results.Count + merger.Failures.Count);
        Assert.NotEqual(0, merger.Counters.DedupedLength);
        Assert.Equal(times, Times());
        reference.AssertEqual(TreeFacts.Of(At("reference")));
        before.AssertEqual(TreeFacts.Of(At("path")), TreeFacts.Extents, "blocks");
        using Merger again = new();
        again.Merge(At("reference"), At("path"), CancellationToken.None);
        Assert.Equal(0, again.Counters.DedupedLength);
        Assert.Equal(merger.Counters.DedupedLength + merger.Counters.SameLength, again.Counters.SameLength);
    }

    [BtrfsFact(Needs = "ln mkfifo")]
    public void What_only_one_tree_has_is_named_and_left()
    {
        byte[] content = NewContent(62);
        foreach (string tree in new[] { "reference", "path" })
        {
            NewFile($"{tree}/both/file", content);
            NewFile($"{tree}/only in {tree}", content);
            NewFile($"{tree}/folder in {tree}/file", content);
        }

        NewFile("path/file or folder", content);
        NewFile("reference/file or folder/file", content);
        NewFile("path/folder or link/file", content);
        File.CreateSymbolicLink(At("reference/folder or link"), "both");
        NewFile("path/file or fifo", content);
        Shell.Check("mkfifo", At("reference/file or fifo"));
        Shell.Check("ln", At("reference/both/file"), At("path/linked"));
        Shell.Check("ln", At("reference/both/file"), At("reference/linked"));
        using Merger merger = new();

        merger.Merge(At("reference"), At("path"), CancellationToken.None);

        Assert.Empty(merger.Failures);
        Assert.Equal(
            [
                (At("path/file or fifo"), PairGap.OtherKind),
                (At("path/file or folder"), PairGap.OtherKind),
                (At("path/folder in path"), PairGap.OnlyInPath),
                (At("path/folder or link"), PairGap.OtherKind),
                (At("path/only in path"), PairGap.OnlyInPath),
                (At("reference/folder in reference"), PairGap.OnlyInReference),
                (At("reference/only in reference"), PairGap.OnlyInReference),
            ],
            merger.Skipped.OrderBy(s => s.Path, StringComparer.Ordinal));
        Assert.Equal(
            [(At("path/both/file"), content.Length, 0), (At("path/linked"), 0, content.Length)],
            merger.Results.OrderBy(r => r.Path, StringComparer.Ordinal)
                .Select(r => (r.Path, (int)r.DedupedLength, (int)r.SameLength)));
        Assert.Equal(BlockMap.Of(At("reference/both/file")), BlockMap.Of(At("path/both/file")));
    }

    [BtrfsFact(Needs = "filefrag sync")]
    public void Deeper_trees_than_may_be_open_and_wider_ones_than_fit_a_buffer_are_walked()
    {
        byte[] content = NewContent(63);
        string deep = string.Concat(Enumerable.Repeat("d/", 600));
        foreach (string tree in new[] { "reference", "path" })
        {
            NewFile($"{tree}/{deep}file", content);
            for (int depth = 0; depth < 600; depth += 50)
            {
                NewFile($"{tree}/{deep[..(2 * depth)]}z", content);
            }

            for (int i = 0; i < 1000; i++)
            {
                NewFile($"{tree}/wide/{i} {new string('x', 40)}/file", []);
            }
        }

        using Merger merger = new();

        merger.Merge(At("reference"), At("path"), CancellationToken.None);

        Assert.Empty(merger.Failures);
        Assert.Empty(merger.Skipped);
        Assert.Equal(1013, merger.Results.Count);
        Assert.Equal(13 * content.Length, merger.Counters.DedupedLength);
        Assert.Equal(BlockMap.Of(At($"reference/{deep}file")), BlockMap.Of(At($"path/{deep}file")));
    }

    [RootFact(Needs = SwapFile.Tools)]
    public void A_file_that_fails_is_one_failure_and_the_rest_is_merged()
    {
        byte[] content = NewContent(64);
        foreach (string tree in new[] { "reference", "path" })
        {
            for (int i = 0; i < 20; i++)
            {
                NewFile($"{tree}/{i}", content);
            }

            NewFile($"{tree}/noCow", []);
        }

        Shell.Check("chattr", "+C", At("path/noCow"));
        NewFile("reference/noCow", content);
        NewFile("path/noCow", content);
        using Merger merger = new();

        merger.Merge(At("reference"), At("path"), CancellationToken.None);

        BtrfsException failure = Assert.Single(merger.Failures);
        Assert.Equal((BtrfsError.NoCowMismatch, At("path/noCow")), (failure.Error, failure.Path));
        Assert.Equal((20, 1), (merger.Counters.Files, merger.Counters.Failed));
        Assert.Equal(20 * content.Length, merger.Counters.DedupedLength);
    }

    [BtrfsFact]
    public void Cancelling_ends_it_between_two_files()
    {
        byte[] content = NewContent(65);
        foreach (string tree in new[] { "reference", "path" })
        {
            for (int i = 0; i < 50; i++)
            {
                NewFile($"{tree}/{i}", content);
            }
        }

        using CancellationTokenSource cancellation = new();
        List<MergeResult> results = [];
        using MergeSession session = new(new MergeOptions(), new MergeEvents
        {
            OnResult = result =>
            {
                results.Add(result);
                cancellation.Cancel();
            },
            OnFailure = failure => Assert.Fail(failure.Message),
        });

        Assert.ThrowsAny<OperationCanceledException>(() => session.Merge(At("reference"), At("path"), cancellation.Token));

        Assert.Equal(content.Length, Assert.Single(results).DedupedLength);
    }

    /// <summary>Every change and access time, which no witness of the trees looks at.</summary>
    private string Times() => Shell.Check("find", _folder, "-printf", @"%P %A@ %C@ %T@\n");

    private static byte[] NewContent(int seed)
    {
        byte[] content = new byte[(5 * Block) + 77];
        new Random(seed).NextBytes(content);
        return content;
    }

    private void NewFile(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), content);
    }

    private string At(string path) => Path.Combine(_folder, path);
}
