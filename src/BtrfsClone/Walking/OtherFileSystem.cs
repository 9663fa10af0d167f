using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>What is mounted on a directory that a walk has found.</summary>
internal enum OtherFileSystem
{
    /// <summary>Nothing, or the same filesystem; subvolumes are part of it.</summary>
    None,

    /// <summary>Another filesystem, with files on a disk or in memory.</summary>
    Storage,

    /// <summary>A filesystem of the kernel itself, such as /proc: it contains nothing that could be cloned.</summary>
    Kernel,
}

/// <summary>Detects filesystems that are mounted below a directory.</summary>
internal static class OtherFileSystems
{
    // Numbers from linux/magic.h; that of mqueue is in ipc/mqueue.c.
    private static readonly HashSet<uint> s_kernel =
    [
        0x9fa0, // proc
        0x62656572, // sysfs
        0x27e0eb, // cgroup
        0x63677270, // cgroup2
        0x64626720, // debugfs
        0x74726163, // tracefs
        0x73636673, // securityfs
        0xcafe4a11, // bpf
        0x6165676c, // pstore
        0xde5e81e4, // efivarfs
        0x62656570, // configfs
        0x65735543, // fusectl
        0x1cd1, // devpts
        0x19800202, // mqueue
        0x42494e4d, // binfmt_misc
        0xf97cff8c, // selinuxfs
        0x6e736673, // nsfs
    ];

    /// <summary>Whether a walk skips it.</summary>
    /// <param name="mounted">What is mounted.</param>
    /// <param name="oneFileSystem">Whether the walk stays on one filesystem.</param>
    public static bool IsLeftOut(this OtherFileSystem mounted, bool oneFileSystem) =>
        mounted == OtherFileSystem.Kernel || (mounted == OtherFileSystem.Storage && oneFileSystem);

    /// <summary>A description for display.</summary>
    public static string Text(this OtherFileSystem mounted) =>
        mounted == OtherFileSystem.Kernel ? "the kernel's view of itself" : "another filesystem";

    /// <summary>What is mounted on a directory.</summary>
    /// <param name="parent">Its parent directory, open.</param>
    /// <param name="parentStatus">The status of the parent.</param>
    /// <param name="directory">The directory, open.</param>
    /// <param name="status">Its status.</param>
    public static OtherFileSystem On(Descriptor parent, in Statx parentStatus, Descriptor directory, in Statx status)
    {
        if (FileSystems.AreOne(parent, parentStatus, directory, status) != false)
        {
            return OtherFileSystem.None;
        }

        return Sys.FileSystemMagic(directory, out long magic).Succeeded && s_kernel.Contains((uint)magic)
            ? OtherFileSystem.Kernel
            : OtherFileSystem.Storage;
    }
}
