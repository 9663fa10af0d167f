using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>What is copied because it cannot be cloned is copied to its end, and counted if it stays.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CopiedContentTests(ScratchBtrfs btrfs)
{
    private static readonly CloneOptions s_auto = new() { Reflink = ReflinkMode.Auto };

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = "cp cmp")]
    [InlineData("/proc/version")] // Its size is 0,
    [InlineData("/proc/self/status")]
    [InlineData("/sys/kernel/mm/transparent_hugepage/enabled")] // and of this one 4096.
    public void A_file_whose_size_is_not_its_length(string source)
    {
        CloneResult result = Cloner.Clone(source, At("clone"), s_auto);

        Shell.Check("cp", "-a", source, At("copy"));
        if (source != "/proc/self/status")
        {
            // Which is another one for cp(1).
            Shell.Check("cmp", At("copy"), At("clone"));
        }

        long length = new FileInfo(At("clone")).Length;
        Assert.InRange(length, 1, 4095);
        Assert.Equal((length, length, 1), (result.Length, result.CopiedLength, result.Files));
    }

    [RootFact(Needs = "cp cmp mount")]
    public void In_a_tree_a_file_that_is_said_to_be_empty_is_copied_or_refused()
    {
        Directory.CreateDirectory(At("source"));
        File.WriteAllText(At("source/empty"), "");
        File.WriteAllText(At("source/version"), "");
        Shell.Check("mount", "--bind", "/proc/version", At("source/version"));
        try
        {
            Cloner.Clone(At("source"), At("copy"), s_auto);
            using Cloner cloner = new();
            cloner.Clone(At("source"), CloneDestination.Named(At("clone")));

            Shell.Check("cmp", "/proc/version", At("copy/version"));
            BtrfsException failure = Assert.Single(cloner.Failures);
            Assert.Equal(BtrfsError.CrossDevice, failure.Error);
            Assert.Equal([At("clone/empty")], Directory.GetFiles(At("clone")));
        }
        finally
        {
            Shell.Check("umount", At("source/version"));
        }
    }

    [RootFact(Needs = "mkfs.xfs dd cmp")]
    public void A_file_that_grows_while_it_is_copied()
    {
        using ScratchImage xfs = new(2L << 30, "noatime", "mkfs.xfs", "-q");
        const int Before = 400 << 20;
        const int Appended = 100_000;
        Shell.Check("dd", "if=/dev/zero", $"of={At("source")}", "bs=1M", "count=400", "status=none");
        string clone = Path.Combine(xfs.Root, "clone");
        bool inTheMiddle = false;
        for (int attempt = 0; attempt < 10 && !inTheMiddle; attempt++)
        {
            File.Delete(clone);
            using (FileStream source = File.OpenWrite(At("source")))
            {
                source.SetLength(Before);
            }

            using Cloner cloner = new(s_auto);
            CloneCounters counters = cloner.Session.Counters;
            Task appending = Task.Run(() =>
            {
                SpinWait.SpinUntil(() => counters.CopiedLength > 0);
                File.AppendAllText(At("source"), new string('x', Appended));
                inTheMiddle = counters.CopiedLength < Before;
            });

            CloneResult result = cloner.Clone(At("source"), CloneDestination.Named(clone));
            appending.Wait();
            if (inTheMiddle)
            {
                Assert.Equal((Before + Appended, Before + Appended), (result.Length, result.CopiedLength));
                Shell.Check("cmp", At("source"), clone);
            }
        }

        Assert.True(inTheMiddle, "Every copy was done before the file had grown.");
    }

    [RootTheory(Needs = "mount du")]
    [InlineData(false)]
    [InlineData(true)]
    public void What_fails_is_not_counted_as_copied(bool overOlderFiles)
    {
        Directory.CreateDirectory(At("source"));
        string small = Directory.CreateDirectory(At("small")).FullName;
        Shell.Check("mount", "-t", "tmpfs", "-o", "size=1M", "tests", small);
        try
        {
            foreach ((string name, int size) in new[] { ("a", 300_000), ("b", 2_000_000), ("c", 100_000) })
            {
                File.WriteAllText(At($"source/{name}"), new string('x', size));
                if (overOlderFiles)
                {
                    Directory.CreateDirectory(At("small/source"));
                    File.WriteAllText(At($"small/source/{name}"), "");
                }
            }

            using Cloner cloner = new(s_auto);
            CloneDestination destination = overOlderFiles
                ? CloneDestination.Into(At("small"))
                : CloneDestination.Named(At("small/source"));
            CloneResult result = cloner.Clone(At("source"), destination);

            Assert.All(cloner.Failures, f => Assert.Equal(BtrfsError.NoSpace, f.Error));
            Assert.Contains(cloner.Failures, f => f.Path.EndsWith("/b", StringComparison.Ordinal));
            Assert.Equal((400_000, 400_000), (result.CopiedLength, result.Length));
        }
        finally
        {
            Shell.Check("umount", small);
        }
    }

    private string At(string path) => Path.Combine(_folder, path);
}
