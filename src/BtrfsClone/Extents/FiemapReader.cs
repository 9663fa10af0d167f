using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// FS_IOC_FIEMAP in one buffer: what the kernel maps from a place on, as much at a time as fits.
/// </summary>
/// <param name="room">The most extents that one call brings.</param>
internal sealed unsafe class FiemapReader(int room = FiemapReader.MaxExtents)
{
    /// <summary>The most extents that one call brings, unless fewer are asked for.</summary>
    public const int MaxExtents = 4096;

    // Pinned once and for all: no handle, no finalizer, and the pointer stays good as long as the array is referenced.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(FiemapRequest) + (room * sizeof(FiemapExtent)), pinned: true);

    private Descriptor _file;
    private string _path = "";
    private long _from;
    private bool _flush;

    /// <summary>The extents that the last call brought.</summary>
    public int Count { get; private set; }

    /// <summary>Whether nothing of the file follows what the last call brought.</summary>
    public bool EndsFile { get; private set; }

    /// <summary>Whether the last call ended for want of room.</summary>
    public bool IsFull => Count == room && !EndsFile;

    public ref readonly FiemapExtent this[int index] => ref Extents[index];

    private FiemapRequest* Request => (FiemapRequest*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _buffer[0]);

    /// <summary>The extents that the last call brought.</summary>
    public ReadOnlySpan<FiemapExtent> Extents => new(Request + 1, Count);

    /// <summary>Begins with a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="flush">Whether what is dirty is written out before anything is mapped.</param>
    /// <param name="from">Where <see cref="TryMapOn(long)"/> begins.</param>
    public void Start(Descriptor file, string path, bool flush = false, long from = 0)
    {
        (_file, _path, _flush, _from) = (file, path, flush, from);
        Forget();
    }

    /// <summary>Begins with the file that another reader reads.</summary>
    public void StartAs(FiemapReader other) => Start(other._file, other._path);

    /// <summary>Drops what the last call brought.</summary>
    public void Forget()
    {
        Count = 0;
        EndsFile = false;
    }

    /// <summary>Maps what lies in a range, the first piece and the last as far as they go beyond it.</summary>
    /// <exception cref="BtrfsException">The filesystem has no FIEMAP, it failed, or it said what cannot be.</exception>
    public void Map(long offset, long end)
    {
        CallResult result = TryMap(offset, end);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Fiemap, _path);
        }
    }

    /// <summary>
    /// Maps what lies before a place and was not mapped since the start. False where nothing more does, or where FIEMAP
    /// fails: it says of nothing that it is there, then.
    /// </summary>
    public bool TryMapOn(long end) => TryMapOn(end, out bool isMore).Succeeded && isMore;

    /// <summary>As above, and why FIEMAP fails.</summary>
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
            // Beyond the greatest file that the filesystem can hold.
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

    /// <summary>Whether each extent holds something, begins no earlier than the one before, and ends where a file can.</summary>
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
