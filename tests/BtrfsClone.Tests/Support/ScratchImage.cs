namespace BtrfsClone.Tests.Support;

/// <summary>
/// A file system in a sparse image in the temporary folder, on a loop device, mounted. Disposing of it leaves no
/// mount, no loop device and no file; what a killed run left is removed by the next.
/// </summary>
public sealed class ScratchImage : IDisposable
{
    private readonly ScratchFolder _folder;
    private readonly string _mountOptions;

    /// <summary>Makes and mounts the image.</summary>
    /// <param name="size">The image's size in bytes. It is sparse: only what is written takes room.</param>
    /// <param name="mountOptions">Options of mount(8). noatime keeps the witnesses from changing what they measure.</param>
    /// <param name="mkfs">The command that makes the file system, and its arguments before the image's path.</param>
    public ScratchImage(long size, string mountOptions, params string[] mkfs)
        : this(size, mountOptions, new DirectoryInfo(Path.GetTempPath()), mkfs)
    {
    }

    /// <summary>As above, with the image in another folder.</summary>
    public ScratchImage(long size, string mountOptions, DirectoryInfo folder, params string[] mkfs)
    {
        _mountOptions = "loop," + mountOptions;
        _folder = new ScratchFolder(folder.FullName, Remove);
        Root = MountPointIn(_folder.Path);
        Directory.CreateDirectory(Root);

        // Where the mount is gone, nothing can be made in its place; and nobody can remove the mount point in a mount
        // namespace that does not show the mount, for which the kernel would unmount it here.
        Shell.Run("chattr", "+i", Root);
        using (FileStream file = new(Image, FileMode.CreateNew))
        {
            file.SetLength(size);
        }

        try
        {
            Shell.Check(mkfs[0], [.. mkfs[1..], Image]);
            Mount();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is mounted.</summary>
    public string Root { get; }

    /// <summary>The loop device, such as <c>/dev/loop0</c>; another one, perhaps, once it is mounted again.</summary>
    public string Device { get; private set; } = "";

    /// <summary>The file that holds the file system.</summary>
    public string Image => ImageIn(_folder.Path);

    /// <summary>Whether it is mounted still, or again.</summary>
    public bool IsMounted => IsMountPoint(Root);

    /// <summary>
    /// Enables quota, and waits until what is there is counted: what changes before that may be counted wrongly, which btrfs
    /// check finds.
    /// </summary>
    public void EnableQuota()
    {
        Shell.Check("btrfs", "quota", "enable", Root);
        Shell.Check("btrfs", "quota", "rescan", "--wait", Root);
    }

    /// <summary>Unmounts it, has btrfs check it, and mounts it again. Fails where the check finds anything.</summary>
    public void Check()
    {
        Unmount();
        Shell.Check("btrfs", "check", Image);
        Mount();
    }

    /// <summary>Unmounts it, as long as nothing else is mounted below.</summary>
    public void Unmount() => Shell.Check("umount", Root);

    /// <summary>
    /// Mounts it where it was. A loop device that mount(8) made is released with the mount, even if this process is
    /// killed before.
    /// </summary>
    public void Mount()
    {
        Shell.Check("mount", "-o", _mountOptions, Image, Root);
        Device = Shell.Check("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", Root).Trim();
    }

    public void Dispose() => _folder.Dispose();

    private static string MountPointIn(string folder) => Path.Combine(folder, "mnt");

    private static string ImageIn(string folder) => Path.Combine(folder, "image");

    private static void Remove(string folder)
    {
        string root = MountPointIn(folder);
        while (IsMountPoint(root))
        {
            // Whatever a failed test mounted below goes with it.
            Shell.Check("umount", "--recursive", root);
        }

        // Not recursive: a mount that came in between must not be emptied.
        Shell.Run("chattr", "-i", root);
        Directory.Delete(root);
        File.Delete(ImageIn(folder));
    }

    private static bool IsMountPoint(string path) => Shell.Run("mountpoint", "--quiet", path).ExitCode == 0;
}
