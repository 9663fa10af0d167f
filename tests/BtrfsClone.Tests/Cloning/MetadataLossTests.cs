using BtrfsClone.Cloning;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Metadata that cannot be kept costs no data: what was lost is counted, and named in one warning for each kind.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class MetadataLossTests : IDisposable
{
    private readonly string _folder;
    private readonly string _ramfs;

    public MetadataLossTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        _ramfs = Directory.CreateDirectory(At("ramfs")).FullName;
        if (TestMachine.NoRoot is null)
        {
            Shell.Check("mount", "-t", "ramfs", "tests", _ramfs);
        }
    }

    public void Dispose()
    {
        if (TestMachine.NoRoot is null)
        {
            Shell.Check("umount", _ramfs);
        }
    }

    [RootTheory(Needs = "cp setfattr")]
    [InlineData("setfattr -n user.a -v 1 $0; setfattr -n user.b -v 2 $0", "2 extended attributes could not be kept (user.a, user.b)")]
    [InlineData("setfattr -n trusted.a -v 1 $0", "1 extended attribute could not be kept (trusted.a)")]
    [InlineData("setfacl -m u:1234:rw $0", "1 ACL could not be kept (system.posix_acl_access)")]
    [InlineData("rm $0; mkdir $0; setfacl -d -m u:1234:rwx $0", "1 ACL could not be kept (system.posix_acl_default)")]
    [InlineData("chattr +dA $0", "2 inode flags could not be kept (NODUMP, NOATIME)")]
    [InlineData(": > $0; chattr +C $0; echo data > $0", "1 inode flag could not be kept (NOCOW)")]
    [InlineData("fallocate -n -o 1M -l 1M $0", "1 preallocated range could not be kept (fallocate)")]
    [InlineData("rm $0; mkfifo $0; setfattr -h -n trusted.a -v 1 $0", "1 extended attribute could not be kept (trusted.a)")]
    public void On_a_filesystem_without_it(string make, string warning)
    {
        File.WriteAllText(At("item"), "data\n");
        Shell.Check("sh", "-c", make, At("item"));
        bool isFile = File.Exists(At("item")) && new FileInfo(At("item")).Length > 0;

        ShellResult result = Support.Program.Run("copy", "--reflink", "auto", At("item"), Path.Combine(_ramfs, "clone"));
        ShellResult witness = Shell.Run("cp", "-a", At("item"), Path.Combine(_ramfs, "copy"));

        Assert.Contains($"btrfs-clone: {warning}: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n'), line => line.Contains("could not be kept", StringComparison.Ordinal));
        Assert.Equal(witness.ExitCode, result.ExitCode);
        if (isFile)
        {
            Assert.Equal("data\n", File.ReadAllText(Path.Combine(_ramfs, "clone")));
        }

        const string Facts = "--format=%F %u %g %y %s";
        Assert.Equal(
            Shell.Check("stat", Facts, At("item")).Split(" 0 ")[0],
            Shell.Check("stat", Facts, Path.Combine(_ramfs, "clone")).Split(" 0 ")[0]);
    }

    [RootFact(Needs = "setfattr setfacl")]
    public void In_a_tree_each_kind_is_one_loss_that_counts()
    {
        for (int i = 0; i < 20; i++)
        {
            NewFile($"source/{i}");
            Shell.Check("setfattr", "-n", $"user.{i}", "-v", "1", At($"source/{i}"));
        }

        Shell.Check("setfacl", "-m", "u:1234:r", At("source/1"), At("source/2"), At("source"));
        using Cloner cloner = new(new CloneOptions { Reflink = ReflinkMode.Auto });

        CloneResult result = cloner.Clone(At("source"), CloneDestination.Named(Path.Combine(_ramfs, "clone")));

        Assert.Empty(cloner.Failures);
        Assert.Equal((20, 20 * 4, 0), (result.Files, result.CopiedLength, result.Failed));
        Assert.Equal(
            [(MetadataKind.ExtendedAttribute, 20), (MetadataKind.AccessControlList, 3)],
            cloner.Session.Losses.Select(l => (l.Kind, l.Count)));
        Assert.Equal([false, true], cloner.Session.Losses.Select(l => l.ChangesAccess));
        Assert.Equal([8, 1], cloner.Session.Losses.Select(l => l.Names.Count));
        Assert.Equal([false, true], cloner.Session.Losses.Select(l => l.AreAllNamed));
        Assert.Equal(23, result.LostMetadata);
    }

    [RootTheory(Needs = "setfacl")]
    [InlineData("u:1234:rw", "664", "644")] // The group's bits are the mask, and the group itself may only read.
    [InlineData("g:1234:rwx", "674", "644")]
    [InlineData("u:1234:---", "644", "600")] // Who is named would be one of the others.
    [InlineData("g::---", "604", "604")]
    public void A_mode_in_the_place_of_an_ACL_grants_no_more(string acl, string mode, string narrowed)
    {
        NewFile("file");
        Shell.Check("chmod", "644", At("file"));
        Shell.Check("setfacl", "-m", acl, At("file"));
        Assert.Equal(mode, Shell.Check("stat", "--format=%a", At("file")).Trim());

        Support.Program.Run("copy", "--reflink", "auto", At("file"), _ramfs);

        Assert.Equal(narrowed, Shell.Check("stat", "--format=%a", Path.Combine(_ramfs, "file")).Trim());
    }

    [RootFact(Needs = "mkfs.ext4 setfattr")]
    public void An_attribute_that_is_too_large_for_the_other_filesystem()
    {
        using ScratchImage ext4 = new(64L << 20, "noatime", "mkfs.ext4", "-q", "-F");
        NewFile("file");
        Shell.Check("setfattr", "-n", "user.large", "-v", new string('x', 10_000), At("file"));

        ShellResult result = Support.Program.Run("copy", "--reflink", "auto", At("file"), ext4.Root);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("1 extended attribute could not be kept (user.large)", result.Error, StringComparison.Ordinal);
        Assert.Equal("data", File.ReadAllText(Path.Combine(ext4.Root, "file")));
    }

    [RootFact(Needs = "mkfs.xfs chattr lsattr setfattr cp")]
    public void On_xfs_what_it_does_not_know_and_nothing_else()
    {
        using ScratchImage xfs = new(320L << 20, "noatime", "mkfs.xfs", "-q");
        foreach ((string name, string flags) in new[] { ("nocow", "+C"), ("compressed", "+c"), ("nodump", "+dA"), ("plain", "+d") })
        {
            NewFile("source/" + name, "");
            Shell.Check("chattr", flags, At("source/" + name));
            File.WriteAllText(At("source/" + name), "data");
            Shell.Check("setfattr", "-n", "user.kept", "-v", "1", At("source/" + name));
        }

        ShellResult result = Support.Program.Run("copy", "--reflink", "auto", At("source"), xfs.Root);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("btrfs-clone: 3 inode flags could not be kept (", result.Error, StringComparison.Ordinal);
        foreach (string name in (string[])["NOCOW", "COMPR", "btrfs.compression"])
        {
            Assert.Contains(name, result.Error, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("attribute", result.Error, StringComparison.Ordinal);
        Shell.Check("diff", "-r", At("source"), Path.Combine(xfs.Root, "source"));
        Assert.Matches("^-+d-*A-* ", Shell.Check("lsattr", Path.Combine(xfs.Root, "source/nodump")));
        Assert.Contains("user.kept", Shell.Check("getfattr", Path.Combine(xfs.Root, "source/nocow")), StringComparison.Ordinal);
    }

    [RootTheory(Needs = "setfacl cp")]
    [InlineData("always")]
    [InlineData("auto")]
    public void On_a_mount_without_ACLs_which_lists_them(string reflink)
    {
        using ScratchImage image = new(256L << 20, "noatime", "mkfs.btrfs", "--quiet");
        string source = Directory.CreateDirectory(Path.Combine(image.Root, "source")).FullName;
        File.WriteAllText(Path.Combine(source, "file"), "data");
        Shell.Check("setfacl", "-m", "u:1234:rw", Path.Combine(source, "file"), source);
        Shell.Check("setfacl", "-d", "-m", "u:1234:rw", source);
        Shell.Check("mount", "-o", "remount,noacl", image.Root);

        ShellResult result = Support.Program.Run("copy", "--reflink", reflink, source, Path.Combine(image.Root, "clone"));

        Assert.Equal(Shell.Run("cp", "-a", source, Path.Combine(image.Root, "copy")).ExitCode, result.ExitCode);
        Assert.StartsWith("btrfs-clone: 3 ACLs could not be kept (system.posix_acl_", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal("data", File.ReadAllText(Path.Combine(image.Root, "clone/file")));
    }

    [RootFact(Needs = "unshare setcap")]
    public void In_a_user_namespace_a_capability_of_another_root()
    {
        NewFile("file");
        Shell.Check("setcap", "-n", "1000", "cap_net_raw+ep", At("file"));
        string[] inNamespace = ["--user", "--map-root-user", Support.Program.File, "copy"];

        ShellResult strict = Shell.Run("unshare", [.. inNamespace, At("file"), At("clone")]);
        ShellResult result = Shell.Run("unshare", [.. inNamespace, "--reflink", "auto", At("file"), At("copy")]);

        Assert.Equal(1, strict.ExitCode);
        Assert.Contains("an attribute names an owner that this user namespace does not map", strict.Error, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("1 extended attribute could not be kept (security.capability)", result.Error, StringComparison.Ordinal);
        Assert.Equal("data", File.ReadAllText(At("copy")));
    }

    [BtrfsTheory(Needs = DoctoredProgram.Tools)]
    [InlineData("Cloning/nfs4-acl-libc.c", 0, "btrfs-clone: 2 ACLs could not be kept (system.nfs4_acl)")]
    [InlineData("Cloning/modeless-libc.c", 1, "btrfs-clone: 2 modes could not be kept (st_mode)")]
    [InlineData("Cloning/modeless-libc.c", 1, "btrfs-clone: 2 times could not be kept (st_atime, st_mtime)")]
    public void On_filesystems_that_there_are_elsewhere(string library, int exitCode, string warning)
    {
        NewFile("source/file");
        Shell.Check("chmod", "4755", At("source/file"), At("source"));
        string program = DoctoredProgram.Make(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), library);
        try
        {
            ShellResult strict = Shell.Run(program, "copy", At("source"), At("clone"));
            ShellResult result = Shell.Run(program, "copy", "--reflink", "auto", At("source"), At("copy"));

            Assert.Equal(1, strict.ExitCode);
            Assert.Equal(exitCode, result.ExitCode);
            Assert.Contains(warning, result.Error, StringComparison.Ordinal);
            Assert.Equal("data", File.ReadAllText(At("copy/file")));
            Assert.Equal(exitCode == 0 ? "4755" : "600", Shell.Check("stat", "--format=%a", At("copy/file")).Trim());
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(program)!, recursive: true);
        }
    }

    [BtrfsFact(Needs = "setfattr")]
    public void Between_btrfs_trees_nothing_is_lost()
    {
        NewFile("file");
        Shell.Check("setfattr", "-n", "user.a", "-v", "1", At("file"));
        using Cloner cloner = new(new CloneOptions { Reflink = ReflinkMode.Auto });

        cloner.Clone(At("file"), CloneDestination.Named(At("clone")));

        Assert.Empty(cloner.Session.Losses);
    }

    private string At(string path) => Path.Combine(_folder, path);

    private void NewFile(string path, string content = "data")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), content);
    }
}
