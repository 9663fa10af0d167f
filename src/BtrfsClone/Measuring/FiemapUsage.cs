using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Measuring;

/// <summary>Counts data as reported by FIEMAP: how much there is, and how much of it is shared.</summary>
internal sealed class FiemapUsage(UsageShared shared, UsageTotals totals)
{
    private readonly ExtentBatch _batch = new();
    private readonly FiemapSource _source = new(new FiemapReader());

    /// <summary>Where the following is also counted; null for nowhere.</summary>
    public EntryUsage? Usage { get; set; }

    /// <summary>Counts the data in a range of an open file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="from">The start of the range.</param>
    /// <param name="to">Its end; <see cref="long.MaxValue"/> for all.</param>
    /// <exception cref="BtrfsException">FIEMAP failed.</exception>
    public void Add(Descriptor file, string path, long from, long to)
    {
        _source.Start(file, path, from, to);
        for (_batch.Clear(); _source.Fill(_batch); _batch.Clear())
        {
            shared.Cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < _batch.Count; i++)
            {
                FileExtent piece = _batch[i];
                bool isCut = piece.Offset < from || piece.End > to;
                Add(isCut ? piece.Part(Math.Max(piece.Offset, from), Math.Min(piece.End, to)) : piece);
            }
        }
    }

    /// <summary>Counts a file extent in a data extent; inline data and data without an address yet are ignored.</summary>
    public void Add(in FileExtent piece)
    {
        if (piece.RawPhysicalOffset < 0)
        {
            return;
        }

        totals.Length += piece.Length;
        if (Usage is not null)
        {
            Usage.Length += piece.Length;
            Usage.SharedLength += piece.IsShared == true ? piece.Length : 0;
        }

        if (piece.IsShared == true)
        {
            totals.SharedLength += piece.Length;
            lock (shared.SharedRanges)
            {
                shared.SharedRanges.Add(piece.RawPhysicalOffset, piece.Length);
            }
        }
    }
}
