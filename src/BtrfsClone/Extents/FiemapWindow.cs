using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>FIEMAP as a forward-only lookup: over a whole part of a file in few calls, or over single ranges of it.</summary>
internal sealed class FiemapWindow(FiemapReader reader)
{
    private long _to;
    private long _known;
    private int _index;

    /// <summary>Starts a part of the file.</summary>
    /// <param name="from">Where lookups start.</param>
    /// <param name="to">The end of the part, most of which will be looked up; <paramref name="from"/> for single ranges.</param>
    public void Start(long from, long to)
    {
        _known = from;
        _to = to;
        _index = 0;
        reader.Forget();
    }

    /// <summary>Returns the first extent that ends after one offset and starts before another.</summary>
    public bool Find(long offset, long end, out FiemapExtent extent)
    {
        while (true)
        {
            for (; _index < reader.Count; _index++)
            {
                extent = reader[_index];
                if (extent.Logical + extent.Length > (ulong)offset)
                {
                    return extent.Logical < (ulong)end;
                }
            }

            if (end <= _known)
            {
                extent = default;
                return false;
            }

            long start = Math.Max(offset, _known);
            reader.Map(start, Math.Max(_to, end));
            _index = 0;
            _known = reader.IsFull ? (long)(reader[^1].Logical + reader[^1].Length) : Math.Max(_to, end);
        }
    }
}
