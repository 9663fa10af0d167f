using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// FS_IOC_FIEMAP in one buffer: what the kernel maps from a place on, as much at a time as fits.
/// </summary>
internal sealed unsafe class FiemapReader
{
    /// <summary>The most extents that one call brings.</summary>
    public const int MaxExtents = 4096;

    // Pinned once and for all: no handle, no finalizer, and the pointer stays good as long as the array is referenced.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        sizeof(FiemapRequest) + (MaxExtents * sizeof(FiemapExtent)), pinned: true);

    private int _descriptor;
    private string _path = "";
    private bool _flush;

    /// <summary>The extents that the last call brought.</summary>
    public int Count { get; private set; }

    /// <summary>Whether nothing of the file follows what the last call brought.</summary>
    public bool EndsFile { get; private set; }

    /// <summary>Whether the last call ended for want of room.</summary>
    public bool IsFull => Count == MaxExtents && !EndsFile;

    public ref readonly FiemapExtent this[int index] => ref Extents[index];

    private FiemapRequest* Request => (FiemapRequest*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _buffer[0]);

    private ReadOnlySpan<FiemapExtent> Extents => new(Request + 1, Count);

    /// <summary>Begins with a file.</summary>
    /// <param name="descriptor">The file.</param>
    /// <param name="path">What to call it in errors.</param>
    /// <param name="flush">Whether what is dirty is written out before anything is mapped.</param>
    public void Start(int descriptor, string path, bool flush = false)
    {
        (_descriptor, _path, _flush) = (descriptor, path, flush);
        Forget();
    }

    /// <summary>Begins with the file that another reader reads.</summary>
    public void StartAs(FiemapReader other) => Start(other._descriptor, other._path);

    /// <summary>Drops what the last call brought.</summary>
    public void Forget()
    {
        Count = 0;
        EndsFile = false;
    }

    /// <summary>Maps what lies in a range, the first piece and the last as far as they go beyond it.</summary>
    public void Map(long offset, long end)
    {
        *Request = new FiemapRequest
        {
            Start = (ulong)offset,
            Length = (ulong)(end - offset),
            ExtentCount = MaxExtents,
            Flags = _flush ? FiemapRequestFlags.Sync : FiemapRequestFlags.None,
        };
        _flush = false;
        int result = Sys.Fiemap(_descriptor, Request);
        if (result == -Errno.EFBIG)
        {
            // Beyond the greatest file that the filesystem can hold.
            Request->MappedExtents = 0;
        }
        else if (result < 0)
        {
            throw -result is Errno.EOPNOTSUPP or Errno.ENOTTY
                ? new BtrfsException(BtrfsError.FiemapNotSupported, _path, -result, "FS_IOC_FIEMAP")
                : BtrfsException.FromErrno(-result, "FS_IOC_FIEMAP", _path);
        }

        Count = (int)Math.Min(Request->MappedExtents, MaxExtents);
        if (!IsInOrder())
        {
            Forget();
            throw new BtrfsException(BtrfsError.IOError, _path, Errno.EUCLEAN, "FS_IOC_FIEMAP");
        }

        EndsFile = Count > 0 && Extents[Count - 1].Flags.HasFlag(FiemapExtentFlags.Last);
    }

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
