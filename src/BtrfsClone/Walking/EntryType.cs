using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>The types of listed entries.</summary>
internal static unsafe class EntryType
{
    /// <summary>
    /// A DT_* value; where the filesystem does not say it, the entry is asked. One that cannot be asked counts as a regular
    /// file, so that opening it fails and is reported.
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
