using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>The program as an ordinary user runs it.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class UnprivilegedTests(ScratchBtrfs btrfs)
{
    private const string Needs = RandomTree.Tools + " " + TreeFacts.Tools + " setpriv";

    /// <summary>The user and group "nobody".</summary>
    private const uint Nobody = 65534;

    private readonly string _folder = btrfs.NewFolder();

    [RootFact(Needs = Needs)]
    public void An_own_tree_is_cloned_in_every_field()
    {
        OwnFolder();
        RandomTree.Make(At("source"), seed: 91, new TreeShape { Privileged = false, Owner = Nobody });
        TreeFacts before = TreeFacts.Of(At("source"));

        ShellResult result = RunAsNobody("copy", At("source"), At("clone"));

        Assert.Equal(new ShellResult(0, result.Output, ""), result);
        before.AssertEqual(TreeFacts.Of(At("clone")));
    }

    [RootFact(Needs = Needs)]
    public void An_owner_that_cannot_be_kept_is_no_error_but_takes_setuid_and_setgid_along()
    {
        OwnFolder();
        Directory.CreateDirectory(At("source"));
        foreach (string mode in new[] { "4755", "2755", "6755", "1755", "755" })
        {
            File.WriteAllText(At("source/" + mode), mode);
            Shell.Check("chmod", mode, At("source/" + mode));
        }

        Directory.CreateDirectory(At("source/folder"));
        Shell.Check("chmod", "6755", At("source/folder"));

        ShellResult result = RunAsNobody("copy", At("source"), At("clone"));

        Assert.Equal(new ShellResult(0, result.Output, ""), result);
        foreach (string path in Directory.GetFileSystemEntries(At("clone")))
        {
            string[] status = Shell.Check("stat", "--format=%u %g %a", path).Split(' ', '\n');
            Assert.Equal($"{Nobody} {Nobody}", $"{status[0]} {status[1]}");
            string mode = Path.GetFileName(path);
            Assert.Equal(mode.StartsWith('1') ? mode : "755", status[2]);
        }
    }

    [RootFact(Needs = "unshare setfacl getfacl chattr lsattr cmp")]
    public void In_a_user_namespace_unknown_owners_are_no_error_and_an_acl_of_unknown_users_is_one()
    {
        Directory.CreateDirectory(At("source/folder"));
        File.WriteAllText(At("source/theirs"), "theirs");
        File.WriteAllText(At("source/acl"), "acl");
        File.WriteAllText(At("source/own-acl"), "own-acl");
        File.WriteAllText(At("source/nocow"), "");
        Shell.Check("chattr", "+C", At("source/nocow"));
        File.WriteAllText(At("source/nocow"), new string('x', 10_000));
        Shell.Check("chown", "1234:2345", At("source/theirs"), At("source/folder"));
        Shell.Check("chmod", "6755", At("source/theirs"), At("source/folder"));
        Shell.Check("setfacl", "-m", "u:55:rw", At("source/acl"));
        Shell.Check("setfacl", "-m", "u:0:rw", At("source/own-acl"));

        ShellResult result = Shell.Run("unshare", "--user", "--map-root-user", Program.File, "copy", At("source"), At("clone"));

        Assert.Equal(1, result.ExitCode);
        Assert.StartsWith($"btrfs-clone: {At("clone/acl")}: permission denied: fsetxattr: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("folder\nnocow\nown-acl\ntheirs\n", Shell.Check("ls", "-A", At("clone")));
        Assert.Equal("0 0 755\n0 0 755\n", Shell.Check("stat", "--format=%u %g %a", At("clone/theirs"), At("clone/folder")));
        Assert.Contains("user:0:rw-", Shell.Check("getfacl", "-n", "-p", At("clone/own-acl")), StringComparison.Ordinal);
        Assert.Contains("C", Shell.Check("lsattr", At("clone/nocow")).Split(' ')[0], StringComparison.Ordinal);
        Shell.Check("cmp", At("source/nocow"), At("clone/nocow"));
    }

    [RootFact(Needs = Needs)]
    public void Unreadable_files_among_thousands_are_one_line_each_and_the_rest_is_cloned()
    {
        OwnFolder();
        Directory.CreateDirectory(At("source/closed"));
        for (int i = 0; i < 2000; i++)
        {
            File.WriteAllText(At($"source/file{i}"), $"{i}");
        }

        Shell.Check("chmod", "000", At("source/file1000"), At("source/closed"));

        ShellResult result = RunAsNobody("copy", At("source"), At("clone"));

        Assert.Equal(1, result.ExitCode);
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Single(lines, l => l.StartsWith("btrfs-clone: ", StringComparison.Ordinal) &&
            l.Contains(At("source/file1000"), StringComparison.Ordinal));
        Assert.Single(lines, l => l.StartsWith("btrfs-clone: ", StringComparison.Ordinal) &&
            l.Contains(At("source/closed"), StringComparison.Ordinal));
        Assert.Equal(1999, Directory.GetFiles(At("clone")).Length);
    }

    [RootFact(Needs = Needs)]
    public void The_umask_changes_nothing()
    {
        OwnFolder();
        RandomTree.Make(
            At("source"), seed: 92, new TreeShape { Privileged = false, Owner = Nobody, Files = 50, WideEntries = 0, Depth = 2 });
        TreeFacts before = TreeFacts.Of(At("source"));

        foreach (string umask in new[] { "000", "077", "277" })
        {
            Shell.Check(
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c",
                $"umask {umask}; exec \"$0\" copy \"$1\" \"$2\"", Program.File, At("source"), At("clone" + umask));
            before.AssertEqual(TreeFacts.Of(At("clone" + umask)));
        }
    }

    private void OwnFolder() => Shell.Check("chown", $"{Nobody}:{Nobody}", _folder);

    private static ShellResult RunAsNobody(params string[] arguments) => Shell.Run(
        "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Program.File, .. arguments]);

    private string At(string path) => Path.Combine(_folder, path);
}
