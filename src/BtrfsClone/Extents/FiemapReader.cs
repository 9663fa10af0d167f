using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>FS_IOC_FIEMAP with one buffer: what the kernel maps from an offset on, as much per call as fits.</summary>
/// <param name="room">The maximum number of extents per call.</param>
internal sealed unsafe class FiemapReader(int room = FiemapReader.MaxExtents)
{
    /// <summary>The default maximum number of extents per call.</summary>
    public const int MaxExtents = 4096;

    // Pinned permanently: no handle, no finalizer, and the pointer is valid as long as the array is referenced.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(FiemapRequest) + (room * sizeof(FiemapExtent)), pinned: true);

    private Descriptor _file;
    private string _path = "";
    private long _from;
    private bool _flush;

    /// <summary>The number of extents that the last call returned.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the result of the last call reaches the end of the file.</summary>
    public bool EndsFile { get; private set; }

    /// <summary>Whether the last call ended because the buffer was full.</summary>
    public bool IsFull => Count == room && !EndsFile;

    public ref readonly FiemapExtent this[int index] => ref Extents[index];

    private FiemapRequest* Request => (FiemapRequest*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _buffer[0]);

    /// <summary>The extents that the last call returned.</summary>
    public ReadOnlySpan<FiemapExtent> Extents => new(Request + 1, Count);

    /// <summary>Starts a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="flush">Whether dirty data is written to disk before anything is mapped.</param>
    /// <param name="from">Where <see cref="TryMapOn(long)"/> starts.</param>
    public void Start(Descriptor file, string path, bool flush = false, long from = 0)
    {
        (_file, _path, _flush, _from) = (file, path, flush, from);
        Forget();
    }

    /// <summary>Starts the file that another reader reads.</summary>
    public void StartAs(FiemapReader other) => Start(other._file, other._path);

    /// <summary>Discards the result of the last call.</summary>
    public void Forget()
    {
        Count = 0;
        EndsFile = false;
    }

    /// <summary>Maps a range; the first and the last extent are not clipped to it.</summary>
    /// <exception cref="BtrfsException">The filesystem does not support FIEMAP, it failed, or its result is invalid.</exception>
    public void Map(long offset, long end)
    {
        CallResult result = TryMap(offset, end);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fiemap, _path);
        }
    }

    /// <summary>
    /// Maps what is before an offset and was not mapped since the start. False if there is nothing more, or if FIEMAP fails: then
    /// nothing is reported as mapped.
    /// </summary>
    public bool TryMapOn(long end) => TryMapOn(end, out bool isMore).Succeeded && isMore;

    /// <summary>As above, and returns why FIEMAP fails.</summary>
    public CallResult TryMapOn(long end, out bool isMore)
    {
        long from = Count == 0 ? _from : EndOf(Count - 1);
        CallResult result = !EndsFile && from < end ? TryMap(from, end) : CallResult.Success;
        isMore = result.Succeeded && !EndsBefore(from);
        return result;
    }

    private CallResult TryMap(long offset, long end)
    {
        *Request = new FiemapRequest
        {
            Start = (ulong)offset,
            Length = (ulong)(end - offset),
            ExtentCount = (uint)room,
            Flags = _flush ? FiemapRequestFlags.Sync : FiemapRequestFlags.None,
        };
        _flush = false;
        CallResult result = Sys.Fiemap(_file, Request);
        if (result.Is(Errno.EFBIG))
        {
            // Beyond the maximum file size of the filesystem.
            Request->MappedExtents = 0;
        }
        else if (result.Failed)
        {
            return result;
        }

        Count = (int)Math.Min(Request->MappedExtents, (uint)room);
        if (!IsInOrder())
        {
            Forget();
            return Errno.EPROTO;
        }

        EndsFile = Count > 0 && Extents[Count - 1].Flags.HasFlag(FiemapExtentFlags.Last);
        return CallResult.Success;
    }

    private bool EndsBefore(long from) => Count == 0 || EndOf(Count - 1) <= from;

    private long EndOf(int index) => (long)(Extents[index].Logical + Extents[index].Length);

    /// <summary>Whether each extent is not empty, starts no earlier than the one before, and ends at a valid file offset.</summary>
    private bool IsInOrder()
    {
        const ulong Greatest = 1ul << 63;
        ulong begin = 0;
        foreach (ref readonly FiemapExtent extent in Extents)
        {
            if (extent.Length == 0 || extent.Logical < begin || extent.Logical >= Greatest ||
                extent.Length > Greatest - extent.Logical)
            {
                return false;
            }

            begin = extent.Logical;
        }

        return true;
    }
}
