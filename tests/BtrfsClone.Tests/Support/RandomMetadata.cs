using BtrfsClone.Interop;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// Gives the entries of a finished tree owners, attributes, modes, ACLs, flags and times: in that order, because a
/// step may undo, or forbid, what a later one sets.
/// </summary>
internal sealed class RandomMetadata(Random random, TreeShape shape)
{
    private static readonly uint[] s_ids = [0, 1, 1000, 65534, 4_000_000_000];

    private static readonly uint[] s_modes =
    [
        0b110_100_100, 0b111_101_101, 0b110_000_000, 0, 0b100_100_100, 0b001_001_001, 0b111_111_111,
        0x800 | 0b111_101_101, 0x400 | 0b111_101_101, 0x200 | 0b111_111_111, 0xC00 | 0b111_001_001, 0xE00,
    ];

    // Before 1970, its start, before and after 2038 and 2106 (the ends of 32 bits), and far beyond.
    private static readonly long[] s_seconds =
        [-9_000_000_000, -1, 0, 1_700_000_000, int.MaxValue, 2_200_000_000, 4_294_967_296, 90_000_000_000];

    private static readonly InodeFlags[] s_flags =
        [InodeFlags.NoDump, InodeFlags.NoAccessTime, InodeFlags.Sync, InodeFlags.NoDump | InodeFlags.NoAccessTime];

    private readonly List<(string Path, Kind Kind)> _entries = [];

    private enum Kind
    {
        File,
        Directory,
        Symlink,
        Special,
        Plain,
    }

    public void AddFile(string path) => _entries.Add((path, Kind.File));

    public void AddDirectory(string path) => _entries.Add((path, Kind.Directory));

    public void AddSymlink(string path) => _entries.Add((path, Kind.Symlink));

    public void AddSpecial(string path) => _entries.Add((path, Kind.Special));

    /// <summary>Adds a file that gets an owner and times only.</summary>
    public void AddPlain(string path) => _entries.Add((path, Kind.Plain));

    /// <summary>Dresses all that was added.</summary>
    public void Dress()
    {
        foreach ((string path, Kind kind) in _entries)
        {
            SetOwner(path);
            if (kind != Kind.Plain && random.Next(3) == 0)
            {
                SetXattrs(path, kind);
            }

            if (kind is not Kind.Symlink and not Kind.Plain)
            {
                SetMode(path, kind);
            }
        }

        SetAccessLists();
        foreach ((string path, Kind kind) in _entries)
        {
            if (kind is Kind.File or Kind.Directory && random.Next(6) == 0)
            {
                InodeFlags directorySync = kind == Kind.Directory && random.Next(2) == 0 ? InodeFlags.DirectorySync : 0;
                Native.AddFlags(path, s_flags[random.Next(s_flags.Length)] | directorySync);
            }

            Native.SetTimes(path, Time(), Time());
        }

        // The top directory stays movable and removable.
        foreach ((string path, Kind kind) in shape.Frozen ? _entries.Skip(1) : [])
        {
            if (kind is Kind.File or Kind.Directory && random.Next(8) == 0)
            {
                InodeFlags flag = random.Next(2) == 0 ? InodeFlags.Immutable : InodeFlags.AppendOnly;
                Native.AddFlags(path, flag);
            }
        }
    }

    private void SetOwner(string path)
    {
        if (shape.Owner is uint owner)
        {
            Native.Chown(path, owner, owner);
        }
        else if (shape.Privileged && random.Next(2) == 0)
        {
            Native.Chown(path, s_ids[random.Next(s_ids.Length)], s_ids[random.Next(s_ids.Length)]);
        }
    }

    private void SetMode(string path, Kind kind)
    {
        // Its owner, without privileges, must be able to read what he is to clone.
        uint needed = shape.Privileged ? 0u : kind == Kind.Directory ? 0b101_000_000 : 0b100_000_000u;
        Native.Chmod(path, s_modes[random.Next(s_modes.Length)] | needed);
    }

    private void SetXattrs(string path, Kind kind)
    {
        // The VFS allows user attributes on files and directories alone.
        for (int i = random.Next(4); i > 0 && kind is Kind.File or Kind.Directory; i--)
        {
            byte[] value = new byte[random.Next(4) * random.Next(1000)];
            random.NextBytes(value);

            // A name of its own: a longer value in place of another fails (ENOSPC) where its leaf has no room for it.
            Native.SetXattr(path, $"user.{(char)('a' + random.Next(26))}{i}\u00fc", value);
        }

        if (shape.Privileged && random.Next(2) == 0)
        {
            Native.SetXattr(path, "trusted.origin", "tests"u8);
        }

        if (shape.Privileged && kind == Kind.File && random.Next(4) == 0)
        {
            // struct vfs_cap_data (linux/capability.h), revision 2, effective: permitted CAP_NET_RAW.
            byte[] capability = new byte[20];
            (capability[0], capability[3], capability[5]) = (1, 2, 0x20);
            Native.SetXattr(path, "security.capability", capability);
        }
    }

    private void SetAccessLists()
    {
        string[] Some(params Kind[] kinds) =>
            [.. _entries.Where(e => kinds.Contains(e.Kind) && random.Next(8) == 0).Select(e => e.Path)];

        SetAccessList(Some(Kind.File, Kind.Directory, Kind.Special), "-m", "u:1234:rwx,g:55:r-x,m::rw-");
        SetAccessList(Some(Kind.File, Kind.Directory), "-m", "u:1:---,u:4000000000:r--,g:0:-wx");
        SetAccessList(Some(Kind.Directory), "-d", "-m", "u:1234:rwx,g:55:---,o::r-x");
    }

    private static void SetAccessList(string[] paths, params string[] arguments)
    {
        if (paths.Length > 0)
        {
            byte[] names = ByteText.ToBytes(string.Concat(paths.Select(p => p + '\0')));
            Shell.CheckBytes(names, "xargs", ["-0", "setfacl", .. arguments, "--"]);
        }
    }

    private StatxTimestamp Time() => new()
    {
        Seconds = s_seconds[random.Next(s_seconds.Length)] + random.Next(-1000, 1000),
        Nanoseconds = (uint)random.Next(1_000_000_000),
    };
}
