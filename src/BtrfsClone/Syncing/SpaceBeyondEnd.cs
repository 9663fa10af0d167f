using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// The space preallocated beyond the end of a file (fallocate(2) with FALLOC_FL_KEEP_SIZE). It is never shared, so it is equal in
/// two files if it covers the same blocks.
/// </summary>
internal sealed class SpaceBeyondEnd
{
    private readonly FiemapReader _reader = new(room: 64);
    private readonly List<(long Offset, long End)> _ranges = [];

    /// <summary>Whether the source examined last has none.</summary>
    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>Whether two files of equal size have the same preallocated space; remembers the source's.</summary>
    /// <param name="source">An open file.</param>
    /// <param name="destination">Another one.</param>
    /// <param name="status">The status of one of them: size and block size.</param>
    /// <exception cref="BtrfsException">Mapping failed.</exception>
    public bool IsSame(Descriptor source, Descriptor destination, in Statx status)
    {
        Read(destination, status);
        (long, long)[] present = [.. _ranges];
        Read(source, status);
        return present.AsSpan().SequenceEqual(_ranges.ToArray());
    }

    /// <summary>
    /// Replaces a file's preallocated space by the source's. The kernel rewrites the file's last block with it, which has to be
    /// shared again afterwards.
    /// </summary>
    public CallResult Apply(Descriptor destination, long size)
    {
        // Truncating a file to its current size frees all space beyond its end.
        CallResult result = Sys.Truncate(destination, size);
        foreach ((long offset, long end) in _ranges)
        {
            result = result.Failed ? result : Sys.Preallocate(destination, offset, end - offset);
        }

        return result;
    }

    private void Read(Descriptor file, in Statx status)
    {
        _ranges.Clear();
        long block = Math.Max(status.BlockSize, 512);
        long position = ((long)status.Size + block - 1) / block * block;
        _reader.Start(file, "", flush: true);
        do
        {
            _reader.Map(position, long.MaxValue);
            foreach (ref readonly FiemapExtent extent in _reader.Extents)
            {
                long offset = Math.Max((long)extent.Logical, position);
                long end = (long)(extent.Logical + extent.Length);
                if (_ranges.Count > 0 && _ranges[^1].End == offset)
                {
                    _ranges[^1] = (_ranges[^1].Offset, end);
                }
                else
                {
                    _ranges.Add((offset, end));
                }

                position = end;
            }
        }
        while (_reader.IsFull);
    }
}
