namespace BtrfsClone.Cloning;

/// <summary>The type of a directory entry.</summary>
public enum EntryKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory, or the root of a subvolume.</summary>
    Directory,

    /// <summary>A symbolic link itself, never its target.</summary>
    SymbolicLink,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,
}
