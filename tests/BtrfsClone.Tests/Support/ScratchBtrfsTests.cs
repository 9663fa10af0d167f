namespace BtrfsClone.Tests.Support;

/// <summary>The scratch file system is what the other tests take it for.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ScratchBtrfsTests(ScratchBtrfs btrfs)
{
    [BtrfsFact]
    public void Is_btrfs() =>
        Assert.Equal("btrfs", Shell.Check("stat", "--file-system", "--format=%T", btrfs.NewFolder()).Trim());

    [RootFact]
    public void A_disposed_image_leaves_no_loop_device()
    {
        string root;
        using (ScratchImage image = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet"))
        {
            root = image.Root;
            Assert.Contains(root, File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
        }

        string folder = Path.GetDirectoryName(root)!;
        Assert.DoesNotContain(folder, File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
        Assert.DoesNotContain(folder, Shell.Check("losetup", "--list", "--output", "BACK-FILE"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [RootFact(Needs = "losetup")]
    public void Mounted_again_an_image_has_the_device_of_its_mount()
    {
        using ScratchImage image = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        image.Unmount();

        // It takes the device that is free now.
        using ScratchImage other = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");
        image.Mount();

        Assert.Equal(image.Image, Shell.Check("losetup", "--noheadings", "--output", "BACK-FILE", image.Device).Trim());
    }

    [RootFact(Needs = "unshare chattr")]
    public void Nobody_removes_a_mount_point_in_a_namespace_that_does_not_show_the_mount()
    {
        using ScratchImage image = new(1L << 28, "noatime", "mkfs.btrfs", "--quiet");

        // The kernel would unmount it in every namespace.
        ShellResult removal = Shell.Run(
            "unshare", "--mount", "sh", "-c", "umount \"$1\" && exec rmdir \"$1\"", "sh", image.Root);

        Assert.Equal(1, removal.ExitCode);
        Assert.True(image.IsMounted);
    }

    [RootFact(Needs = "chattr")]
    public void A_lost_mount_is_one_failure_that_says_so()
    {
        using ScratchBtrfs other = new();
        string folder = other.NewFolder();
        Shell.Check("umount", other.Root);

        Assert.Throws<UnauthorizedAccessException>(() => Directory.CreateDirectory(folder));
        var failure = Assert.Throws<InvalidOperationException>(other.NewFolder);
        Assert.StartsWith(
            $"The scratch filesystem was unmounted from {other.Root}", failure.Message, StringComparison.Ordinal);
        Assert.Equal("btrfs", Shell.Check("stat", "--file-system", "--format=%T", other.NewFolder()).Trim());
        Assert.True(Directory.Exists(folder));
    }

    [RootFact(Needs = "chattr")]
    public void What_a_killed_run_left_is_removed_by_the_next()
    {
        // The lock of a live image is held by this process; a copy of the folder's shape without it is a leftover. The
        // lock comes last: tests that run beside these would take what is not finished for a leftover, too.
        string leftover = Directory.CreateDirectory(
            Path.Combine(Path.GetTempPath(), $"btrfs-clone-tests-leftover-{Environment.ProcessId}")).FullName;
        string root = Directory.CreateDirectory(Path.Combine(leftover, "mnt")).FullName;
        string image = Path.Combine(leftover, "image");
        using (FileStream file = new(image, FileMode.Create))
        {
            file.SetLength(1L << 28);
        }

        Shell.Check("mkfs.btrfs", "--quiet", image);
        Shell.Check("chattr", "+i", root);
        Shell.Check("mount", "-o", "loop", image, root);
        File.WriteAllText(Path.Combine(leftover, "lock"), "");

        new ScratchImage(1L << 28, "noatime", "mkfs.btrfs", "--quiet").Dispose();

        Assert.False(Directory.Exists(leftover));
        Assert.DoesNotContain(leftover, Shell.Check("losetup", "--list", "--output", "BACK-FILE"), StringComparison.Ordinal);
        Assert.True(Directory.Exists(btrfs.Root), "The live image of this run was taken for a leftover.");
    }
}
