using System.Globalization;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>
/// Limits on memory, threads and descriptors: the native program does its work, or says in one line which limit is in the
/// way. The managed one does not start with many of them; the runtime says so.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class LimitTests(ScratchBtrfs btrfs)
{
    private const string OneLine = @"\Abtrfs-clone: [^\n]*(ulimit|memory|open as many)[^\n]*\n\z";

    private readonly string _folder = btrfs.NewFolder();
    private int _clones;

    [BtrfsTheory(Needs = "prlimit")]
    [InlineData("--as=214748364800")]
    [InlineData("--as=8589934592")]
    [InlineData("--as=4294967296")]
    [InlineData("--as=536870912")]
    [InlineData("--as=134217728")]
    [InlineData("--data=67108864")]
    [InlineData("--data=33554432")]
    [InlineData("--stack=262144")]
    public void What_is_enough_for_the_runtime(string limit)
    {
        bool isLarge = limit.StartsWith("--as=", StringComparison.Ordinal) && limit.Length > "--as=999999999".Length;
        if (Support.Program.IsManaged && !isLarge)
        {
            return;
        }

        MakeTree();

        Assert.Equal(new ShellResult(0, "", ""), Copy(limit, out string clone));
        Assert.Equal("", Shell.Check("diff", "--recursive", At("source"), clone));
    }

    [BtrfsTheory(Needs = "prlimit")]
    [InlineData("--as=67108864")]
    [InlineData("--as=33554432")]
    [InlineData("--data=8388608")]
    [InlineData("--data=4194304")]
    public void What_is_too_little_for_the_runtime(string limit)
    {
        if (Support.Program.IsManaged)
        {
            return;
        }

        MakeTree();

        ShellResult result = Copy(limit, out _);

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Matches(OneLine, result.Error);
        Assert.Equal("source\n", Shell.Check("ls", "-A", _folder));
    }

    [BtrfsTheory(Needs = "prlimit")]
    [InlineData("--data=", 16 << 20, 40 << 20, 1 << 20)]
    [InlineData("--as=", 96 << 20, 160 << 20, 4 << 20)]
    [InlineData("--nofile=", 4, 16, 1)]
    public void What_may_be_enough(string limit, int least, int most, int step)
    {
        if (Support.Program.IsManaged)
        {
            return;
        }

        MakeTree();
        for (int number = least; number < most; number += step)
        {
            AssertDoneOrSaid(
                Copy(string.Create(CultureInfo.InvariantCulture, $"{limit}{number}"), out string clone), clone, $"{limit}{number}");
        }
    }

    [RootFact(Needs = "setpriv prlimit")]
    public void Few_threads()
    {
        if (Support.Program.IsManaged)
        {
            return;
        }

        MakeTree();
        Shell.Check("chmod", "777", _folder);
        for (int threads = 1; threads < 6; threads++)
        {
            foreach (string verb in (string[])["copy", "wait", "measure"])
            {
                string clone = At($"clone{threads}{verb}");
                ShellResult result = Shell.Run(
                    "setpriv",
                    ["--reuid=54322", "--regid=54322", "--clear-groups", "prlimit", $"--nproc={threads}", "--core=0",
                        Support.Program.File, verb, At("source"), .. verb == "copy" ? (string[])[clone] : []]);
                if (verb == "copy" && threads > 1)
                {
                    Assert.Equal(0, result.ExitCode);
                }

                AssertDoneOrSaid(result, verb == "copy" ? clone : At("source"), $"{verb} with {threads} threads");
            }
        }
    }

    private void AssertDoneOrSaid(ShellResult result, string clone, string shown)
    {
        if (result.ExitCode == 0)
        {
            Assert.Equal((shown, ""), (shown, result.Error + Shell.Check("diff", "--recursive", At("source"), clone)));
        }
        else
        {
            Assert.Equal((shown, 1), (shown, result.ExitCode));
            Assert.Matches(OneLine, result.Error);
        }
    }

    private void MakeTree()
    {
        for (int i = 0; i < 60; i++)
        {
            Directory.CreateDirectory(At($"source/{i % 20}"));
            File.WriteAllText(At($"source/{i % 20}/{i}"), $"content {i}");
        }
    }

    private ShellResult Copy(string limit, out string clone)
    {
        clone = At($"clone{_clones++}");
        return Shell.Run("prlimit", limit, "--core=0", Support.Program.File, "copy", "--jobs=8", At("source"), clone);
    }

    private string At(string name) => Path.Combine(_folder, name);
}
