namespace BtrfsClone.Cloning;

/// <summary>What an entry of a directory is.</summary>
public enum EntryKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory, or the root of a subvolume.</summary>
    Directory,

    /// <summary>A symbolic link itself, never what it points to.</summary>
    SymbolicLink,

    /// <summary>A named pipe.</summary>
    Fifo,

    /// <summary>A socket's name.</summary>
    Socket,

    /// <summary>A character device.</summary>
    CharacterDevice,

    /// <summary>A block device.</summary>
    BlockDevice,
}
