using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>What is left out by patterns of paths, and by rules in the format of .gitignore, of which git is the witness.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class PatternTests
{
    // With each kind of name and rule that gitignore(5) tells apart.
    private static readonly string[] s_names =
        ["a", "b", "bin", "src", "x.o", "y.c", ".h", "a b", "[z]", @"foo\bar", "#k", "!n", "aXb", "Z", "é", "a "];

    private static readonly string[] s_rules =
    [
        "a", "b", "bin", "src", "*", "*.o", "?", "**", ".h", "a*", "[ab]", "[!a]", "[^a]", "[a-c]*", "x.?", @"\#k", @"\!n", "!n", "a b",
        "b*n", "*.[co]", "[z]", @"\[z\]", @"foo\\bar", "[[:alpha:]]", "[[:upper:][:digit:]]", "**a", "a**", "a ", @"a\ ", "[]a]",
        @"[\a]", "[a-]", "a[X-Z]b", "?*", "*a*b*",
    ];

    private readonly string _folder;

    public PatternTests(ScratchBtrfs btrfs) => _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = "git")]
    public void Rules_are_those_of_git()
    {
        int rounds = Environment.GetEnvironmentVariable("BTRFSCLONE_LONG_TESTS") is null ? 12 : 120;
        for (int seed = 1; seed <= rounds; seed++)
        {
            var random = new Random(seed);
            string tree = Path.Combine(_folder, $"tree{seed}");
            Make(tree, random);
            string[] rules = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Rule(random))];
            Shell.Check("git", "init", "--quiet", tree);
            File.WriteAllLines(Path.Combine(tree, ".git/info/exclude"), rules);
            File.WriteAllLines(Path.Combine(_folder, "rules"), rules);
            string expected = Shell.Check(
                "sh", "-c",
                "cd $0; find . -mindepth 1 -name .git -prune -o -mindepth 1 -printf '%P\\n' | sort > ../all; " +
                "tr '\\n' '\\0' < ../all | git check-ignore --no-index -z --stdin | tr '\\0' '\\n' | sort > ../ignored; " +
                "comm -23 ../all ../ignored",
                tree);
            Directory.Delete(Path.Combine(tree, ".git"), recursive: true);

            string clone = Path.Combine(_folder, $"clone{seed}");
            Shell.Check(Support.Program.File, "copy", "--exclude-from", Path.Combine(_folder, "rules"), tree, clone);

            string actual = Shell.Check("sh", "-c", "cd $0; find . -mindepth 1 -printf '%P\\n' | sort", clone);
            Assert.True(
                expected == actual,
                $"seed {seed}: {string.Join(" | ", rules)}\nexpected:\n{expected}\nfound:\n{actual}");
        }
    }

    [BtrfsTheory]
    [InlineData("--exclude=bin", "a bin/x src/a/x src/bin/x x", "bin src/bin")]
    [InlineData("--exclude=bin/", "a bin/x src/a/x src/bin/x x", "bin src/bin")]
    [InlineData("--exclude=x/", "a bin/x src/a/x src/bin/x x", "")]
    [InlineData("--exclude=/bin", "a bin/x src/a/x src/bin/x x", "bin")]
    [InlineData("--exclude=src/bin", "a bin/x src/a/x src/bin/x x", "src/bin")]
    [InlineData("--exclude=**/bin", "a bin/x src/a/x src/bin/x x", "bin src/bin")]
    [InlineData("--exclude=src/**", "a bin/x src/a/x src/bin/x x", "src/a src/bin")]
    [InlineData("--exclude=src/*/x", "a bin/x src/a/x src/bin/x x", "src/a/x src/bin/x")]
    [InlineData("--exclude=tree/bin", "a bin/x src/a/x src/bin/x x", "bin")]
    [InlineData("--exclude=a", "a bin/x src/a/x src/bin/x x", "a src/a")]
    [InlineData("--include=bin/x", "a bin/x src/a/x src/bin/x x", "a src/a/x x")]
    [InlineData("--include=src/**", "a bin/x src/a/x src/bin/x x", "a bin/x x")]
    [InlineData("--include=/x", "a bin/x src/a/x src/bin/x x", "a bin/x src/a/x src/bin/x")]
    public void Patterns_may_be_paths(string pattern, string files, string leftOut)
    {
        string tree = Path.Combine(_folder, "tree");
        foreach (string file in files.Split(' '))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(tree, file))!);
            File.WriteAllText(Path.Combine(tree, file), file);
        }

        string expected = Shell.Check(
            "sh", "-c", "cp -r $0/tree $0/expected; cd $0/expected; rm -rf -- $1; find . | sort", _folder, leftOut);

        Shell.Check(Support.Program.File, "copy", pattern, tree, Path.Combine(_folder, "clone"));

        Assert.Equal(expected, Shell.Check("sh", "-c", "cd $0/clone; find . | sort", _folder));
    }

    [BtrfsTheory]
    [InlineData("--exclude=/")]
    [InlineData("--exclude=./bin")]
    [InlineData("--exclude=a//b")]
    [InlineData("--exclude=../a")]
    [InlineData("--include=src/")]
    [InlineData("--exclude-from=rules")]
    [InlineData("--exclude-from=missing")]
    public void What_can_never_match_is_refused(string option)
    {
        File.WriteAllText(Path.Combine(_folder, "rules"), "a\n./b\n");
        foreach (string verb in (string[])["copy", "sync"])
        {
            Directory.CreateDirectory(Path.Combine(_folder, "tree"));
            ShellResult result = Shell.Run("sh", "-c", $"cd $0; $1 {verb} '{option}' tree clone", _folder, Support.Program.File);

            bool isMissing = option.EndsWith("missing", StringComparison.Ordinal);
            Assert.Equal(isMissing ? 1 : 2, result.ExitCode);
            string reason = isMissing ? "no such file" : "never match";
            Assert.Contains(reason, result.Error, StringComparison.Ordinal);
            Assert.False(Path.Exists(Path.Combine(_folder, "clone")));
        }
    }

    [BtrfsFact]
    public void Rules_come_from_a_pipe_and_hold_for_a_sync()
    {
        string command = """
            cd $0; mkdir -p tree/build tree/src dst/old; touch tree/build/o tree/src/c tree/keep.log dst/old/x.log dst/old/y dst/z
            printf 'build/\n*.log\n!keep.log\n' | $1 sync --delete --exclude-from /dev/stdin tree dst
            find dst | sort
            """;

        string found = Shell.Check("sh", "-c", command, _folder, Support.Program.File);

        // What is left out is neither cloned nor removed, and so are not the directories on the way to it.
        Assert.Equal(
            "dst\ndst/keep.log\ndst/old\ndst/old/x.log\ndst/src\ndst/src/c\n",
            found[found.IndexOf("dst\n", StringComparison.Ordinal)..]);
    }

    [BtrfsTheory(Needs = "rsync")]
    [InlineData("log")]
    [InlineData("deep")]
    [InlineData("old")]
    [InlineData("none")]
    public void A_sync_removes_no_more_than_rsync(string excluded)
    {
        string make = """
            mkdir -p $0/$1/tree/same $0/$1/dst/old/deep/er $0/$1/dst/old/empty $0/$1/dst/same/more; cd $0/$1
            touch tree/x dst/old/log dst/old/a dst/old/deep/er/log dst/old/deep/b dst/same/more/log dst/log dst/z
            """;
        Shell.Check("sh", "-c", make, _folder, "ours");
        Shell.Check("sh", "-c", make, _folder, "rsync");
        string listing = "cd $0/ours; $1 sync --delete --exclude $2 --dry-run tree dst | grep -c '^ *delete'; true";
        string told = Shell.Check("sh", "-c", listing, _folder, Support.Program.File, excluded);
        Shell.Run("sh", "-c", "cd $0/rsync; rsync -aHAX --delete --exclude $1 tree/ dst/", _folder, excluded);

        string result = Shell.Check(
            "sh", "-c", "cd $0/ours; $1 sync --delete --exclude $2 --json tree dst", _folder, Support.Program.File, excluded);

        Assert.Equal(
            Shell.Check("sh", "-c", "cd $0/rsync; find . | sort", _folder), Shell.Check("sh", "-c", "cd $0/ours; find . | sort", _folder));
        Assert.Contains($"\"Deleted\":{told.Trim()},", result, StringComparison.Ordinal);
    }

    private static void Make(string tree, Random random)
    {
        Directory.CreateDirectory(tree);
        for (int i = 0; i < 14; i++)
        {
            string path = tree;
            for (int depth = random.Next(0, 4); depth >= 0 && !File.Exists(path); depth--)
            {
                Directory.CreateDirectory(path);
                path = Path.Combine(path, s_names[random.Next(s_names.Length)]);
            }

            if (!Path.Exists(path))
            {
                File.WriteAllText(path, "x");
            }
        }
    }

    private static string Rule(Random random)
    {
        string rule = string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => s_rules[random.Next(s_rules.Length)]));
        return (random.Next(4) == 0 ? "!" : "") + (random.Next(5) == 0 ? "/" : "") + rule + (random.Next(5) == 0 ? "/" : "");
    }

}
