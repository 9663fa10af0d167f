using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>Inode flags that only one side has.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class FlagTests(ScratchBtrfs btrfs)
{
    [BtrfsTheory(Needs = "chattr lsattr")]
    [InlineData("d")]
    [InlineData("A")]
    [InlineData("S")]
    [InlineData("D")]
    [InlineData("c")]
    public void Flags_of_directories_come_and_go(string flag)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        foreach (string name in new[] { "inner", "other" })
        {
            Directory.CreateDirectory(Path.Combine(source, name));
            Directory.CreateDirectory(Path.Combine(destination, name));
        }

        Shell.Check("chattr", "+" + flag, Path.Combine(source, "inner"), Path.Combine(destination, "other"));

        Syncer.Sync(source, destination);

        Assert.Contains(flag, FlagsOf(destination, "inner"), StringComparison.Ordinal);
        Assert.DoesNotContain(flag, FlagsOf(destination, "other"), StringComparison.Ordinal);
        Assert.Empty(Syncer.SyncAll(source, destination).Changes);
    }

    [BtrfsTheory(Needs = "chattr lsattr")]
    [InlineData("a")]
    [InlineData("i")]
    public void What_protected_directories_hold_is_made_replaced_and_removed(string flag)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        foreach (string side in new[] { source, destination })
        {
            Directory.CreateDirectory(Path.Combine(side, "inner"));
            File.WriteAllText(Path.Combine(side, "inner", "file"), side);
        }

        File.WriteAllText(Path.Combine(source, "inner", "new"), "new");
        File.WriteAllText(Path.Combine(destination, "inner", "extra"), "");
        Shell.Check("chattr", "+" + flag, Path.Combine(destination, "inner"));
        try
        {
            Syncer.Sync(source, destination, new SyncOptions { Delete = true });

            Assert.Equal(source, File.ReadAllText(Path.Combine(destination, "inner", "file")));
            Assert.Equal("new", File.ReadAllText(Path.Combine(destination, "inner", "new")));
            Assert.False(File.Exists(Path.Combine(destination, "inner", "extra")));
            Assert.DoesNotContain(flag, FlagsOf(destination, "inner"), StringComparison.Ordinal);
        }
        finally
        {
            Shell.Check("chattr", "-" + flag, Path.Combine(destination, "inner"));
        }
    }

    [BtrfsFact(Needs = "chattr dd lsattr")]
    public void What_the_kernel_finds_incompressible_is_equal_the_second_time()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        Directory.CreateDirectory(source);
        Shell.Check("chattr", "+c", source);
        for (int i = 1; i <= 40; i++)
        {
            string flush = i % 2 == 0 ? "conv=fsync" : "conv=notrunc";
            Shell.Check("dd", "if=/dev/urandom", $"of={source}/{i}", $"bs={i * 500}", "count=1", "status=none", flush);
        }

        string destination = Path.Combine(folder, "destination");
        Syncer.Sync(source, destination);
        Shell.Run("setfattr", "-x", "trusted.btrfs-clone.sync", destination);

        Assert.Empty(Syncer.SyncAll(source, destination).Changes);
    }

    [RootTheory(Needs = BareCompression.Tools + " " + SyncedTrees.Tools + " chattr setfattr touch")]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void What_has_the_flag_without_the_property_is_equal_the_second_time(bool isInherited, bool isCloned)
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        Directory.CreateDirectory(source);
        if (!BareCompression.TryMake(source))
        {
            return; // A kernel that has mended it.
        }

        if (isInherited)
        {
            Shell.Check("chattr", "+c", source);
        }

        if (isCloned)
        {
            Shell.Check(Support.Program.File, "copy", source, destination);
            Assert.All(["file", "directory"], name => Assert.True(BareCompression.HasFlag(Path.Combine(destination, name)), name));
            Shell.Check("touch", Path.Combine(destination, "file"), Path.Combine(destination, "directory"));
        }

        Syncer.Sync(source, destination);

        Assert.All(["file", "directory"], name => Assert.True(BareCompression.HasFlag(Path.Combine(destination, name)), name));
        Assert.Empty(Syncer.SyncAll(source, destination).Changes);
        Shell.Run("setfattr", "-x", "trusted.btrfs-clone.sync", destination);
        Assert.Empty(Syncer.SyncAll(source, destination).Changes);
        SyncedTrees.AssertEqual(folder);
    }

    private static string FlagsOf(string root, string name) =>
        Shell.Check("lsattr", "-d", Path.Combine(root, name)).Split(' ')[0];
}
