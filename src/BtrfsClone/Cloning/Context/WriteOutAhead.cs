using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Starts write-out of dirty files shortly before they are cloned. FICLONE writes out its source by itself, but one file
/// at a time: the device would have little to do at once, and each clone a wait of its own. Looking for dirty files
/// costs, so that one of many is looked at, and only where that is dirty the ones after it.
/// </summary>
internal sealed unsafe class WriteOutAhead
{
    private const int Stride = 32; // Files from one look to the next while none is dirty.
    private const int Window = 128; // Files that are started at once.

    // Bytes at the front of a file. Counting all cached pages of long clean files would cost more than it can gain.
    private const long Looked = 4 << 20;

    private static readonly ulong s_windowPages = (64ul << 20) / (ulong)Environment.SystemPageSize;

    private int _left;
    private bool _metDirty;

    /// <summary>Is told of each regular file before it is cloned.</summary>
    /// <param name="directory">The open directory that it is in.</param>
    /// <param name="entries">Where the listing of it stands: at the file.</param>
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

    /// <summary>Starts write-out of a file. Returns how many of its pages were dirty.</summary>
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
            // Whatever fails here fails the clone, which reports it.
            _ = Sys.StartWriteOut(file, 0, 0);
        }

        return dirty;
    }
}
