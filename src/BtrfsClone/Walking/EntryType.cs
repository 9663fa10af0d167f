using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>The types of listed entries.</summary>
internal static unsafe class EntryType
{
    /// <summary>
    /// A DT_* value; if the filesystem does not report it, the entry's status is read. If that fails, the entry is treated as a
    /// regular file, so that opening it fails and is reported.
    /// </summary>
    public static byte Of(Descriptor directory, DirectoryBatch.Entry entry)
    {
        if (entry.Type != DirectoryEntry.TypeUnknown)
        {
            return entry.Type;
        }

        // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h).
        return Sys.StatEntry(directory, entry.NamePointer, out Statx status).Failed
            ? DirectoryEntry.TypeRegular
            : (byte)(status.FileType >> 12);
    }
}
