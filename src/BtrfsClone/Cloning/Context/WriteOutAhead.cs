using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Starts writeback of dirty files shortly before they are cloned. FICLONE writes its source to disk itself, but one file at a
/// time: the device would have little to do concurrently, and each clone would wait. Checking for dirty files takes time, so only
/// one of many is checked, and only if it is dirty, the ones after it.
/// </summary>
internal sealed unsafe class WriteOutAhead
{
    private const int Stride = 32; // The number of files between two checks while none is dirty.
    private const int Window = 128; // The number of files whose writeback is started together.

    // The number of bytes checked at the start of a file. Counting all cached pages of long clean files would cost more than it can
    // gain.
    private const long Looked = 4 << 20;

    private static readonly ulong s_windowPages = (64ul << 20) / (ulong)Environment.SystemPageSize;

    private int _left;
    private bool _metDirty;

    /// <summary>Called for each regular file before it is cloned.</summary>
    /// <param name="directory">The open directory that contains it.</param>
    /// <param name="entries">The position in its listing: at the file.</param>
    public void Before(Descriptor directory, DirectoryBatch.Enumerator entries)
    {
        if (_left-- > 0)
        {
            return;
        }

        int looked = 0;
        ulong dirty = 0;
        do
        {
            if (entries.Current.Type == DirectoryEntry.TypeRegular)
            {
                looked++;
                dirty += Start(directory, entries.Current.NamePointer);
                if (dirty == 0 && !_metDirty)
                {
                    break;
                }
            }
        }
        while (looked < Window && dirty < s_windowPages && entries.MoveNext());
        _metDirty = dirty > 0;
        _left = (_metDirty ? looked : Stride) - 1;
    }

    /// <summary>Starts writeback of a file. Returns the number of its dirty pages.</summary>
    private static ulong Start(Descriptor directory, byte* name)
    {
        if (FileOpener.Open(directory, name, out Descriptor file).Failed)
        {
            return 0;
        }

        using DescriptorScope closing = new(file);
        ulong dirty = Sys.CacheStat(file, 0, Looked, out CacheStatus pages).Failed ? 0 : pages.Dirty;
        if (dirty > 0)
        {
            // If this fails, the clone fails too, and reports it.
            _ = Sys.StartWriteOut(file, 0, 0);
        }

        return dirty;
    }
}
