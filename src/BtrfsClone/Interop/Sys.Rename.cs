using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

internal static unsafe partial class Sys
{
    // linux/fs.h.
    private const uint RenameNoReplaceFlag = 1;
    private const uint RenameExchangeFlag = 2;

    /// <summary>renameat(2): atomically replaces an existing entry at the new name.</summary>
    public static CallResult Rename(Descriptor oldDirectory, byte* oldName, Descriptor newDirectory, byte* newName) =>
        Result(renameat(oldDirectory.Number, oldName, newDirectory.Number, newName));

    /// <summary>renameat2(2) with RENAME_NOREPLACE: EEXIST if the new name exists.</summary>
    public static CallResult RenameNoReplace(
        Descriptor oldDirectory, byte* oldName, Descriptor newDirectory, byte* newName) =>
        Result(renameat2(oldDirectory.Number, oldName, newDirectory.Number, newName, RenameNoReplaceFlag));

    /// <summary>renameat2(2) with RENAME_EXCHANGE: atomically exchanges two entries.</summary>
    public static CallResult Exchange(Descriptor directory, byte* name, Descriptor otherDirectory, byte* otherName) =>
        Result(renameat2(directory.Number, name, otherDirectory.Number, otherName, RenameExchangeFlag));

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int renameat(int oldDirectory, byte* oldName, int newDirectory, byte* newName);

    [LibraryImport(LibC, SetLastError = true)]
    private static partial int renameat2(
        int oldDirectory, byte* oldName, int newDirectory, byte* newName, uint flags);
}
