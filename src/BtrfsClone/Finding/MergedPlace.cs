using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>A place that is to share other extents, opened. Holes and preallocated space in it are not changed.</summary>
internal sealed class MergedPlace(DuplicatePlace place, OwnedDescriptor file, long length) : IDisposable
{
    public DuplicatePlace Place => place;

    public Descriptor File => file.Descriptor;

    /// <summary>The bytes that share the other extents by now.</summary>
    public long Deduped { get; set; }

    /// <summary>The bytes without data, which have nothing to share.</summary>
    public long Same { get; set; }

    /// <summary>Nothing more is to be done with it.</summary>
    public bool HasEnded { get; set; }

    public bool HasFailed { get; set; }

    /// <summary>Whether there is data at the position checked last.</summary>
    public bool IsData { get; private set; }

    /// <summary>The end of the range for which this holds, relative to the start of the place.</summary>
    public long Until { get; private set; }

    /// <summary>Checks what is at an offset from the start of the place.</summary>
    public void LookAt(long at)
    {
        if (at < Until)
        {
            return;
        }

        CallResult data = Sys.SeekData(File, place.Offset + at);
        if (data.Is(Errno.ENXIO) || data.Value > place.Offset + at)
        {
            (IsData, Until) = (false, data.Failed ? length : Math.Min(data.Value - place.Offset, length));
            return;
        }

        CallResult hole = data.Failed ? data : Sys.SeekHole(File, place.Offset + at);
        long end = hole.Failed ? length : hole.Value - place.Offset;
        (IsData, Until) = (true, end > at ? Math.Min(end, length) : length);
    }

    public void Dispose() => file.Dispose();
}
