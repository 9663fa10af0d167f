using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>The meaning of the type bits of a mode.</summary>
internal static class EntryKinds
{
    /// <summary>The kind of an entry from the type bits of its mode.</summary>
    public static EntryKind Of(uint fileType) => fileType switch
    {
        Sys.ModeDirectory => EntryKind.Directory,
        Sys.ModeSymlink => EntryKind.SymbolicLink,
        Sys.ModeFifo => EntryKind.Fifo,
        Sys.ModeSocket => EntryKind.Socket,
        Sys.ModeCharDevice => EntryKind.CharacterDevice,
        Sys.ModeBlockDevice => EntryKind.BlockDevice,
        _ => EntryKind.File,
    };
}
