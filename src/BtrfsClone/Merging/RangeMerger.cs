using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>
/// Makes ranges of one file share the extents of another where the bytes are the same: the whole range in one call if it
/// can be, otherwise each run of blocks that are the same.
/// </summary>
internal sealed class RangeMerger
{
    private readonly bool _preview;
    private readonly Action<long> _add;
    private readonly Action _pump;
    private readonly Action<long, long, bool> _mergeRun;
    private readonly BlockComparer _comparer = new();
    private OpenFile _reference;
    private OpenFile _file;
    private long _blockSize;
    private bool _checked;
    private bool _perhapsSame;

    /// <param name="preview">Only count: compare by reading, and share nothing.</param>
    /// <param name="add">Takes the length of what is shared now, or would be.</param>
    /// <param name="pump">Is called between two steps; it may end the work by an exception.</param>
    public RangeMerger(bool preview, Action<long> add, Action pump)
    {
        (_preview, _add, _pump) = (preview, add, pump);
        _mergeRun = MergeRun;
    }

    /// <summary>Begins with two files.</summary>
    public void Start(in OpenFile reference, in OpenFile file, long blockSize)
    {
        (_reference, _file, _blockSize, _checked) = (reference, file, blockSize, false);
    }

    /// <summary>Merges a range of whole blocks, or up to the end of both files.</summary>
    /// <param name="start">Where it begins in both files.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="perhapsSame">Whether both lie in the same extents, so that what is equal need not be shared.</param>
    public void Merge(long start, long end, bool perhapsSame)
    {
        _perhapsSame = perhapsSame;
        Check();
        bool byReading = _preview || (_reference.IsQuiet && _file.IsQuiet);
        if (!_preview && !(_perhapsSame && byReading) && Dedupe(start, end))
        {
            _add(end - start);
        }
        else if (byReading)
        {
            _comparer.Compare(_reference, _file, start, end, _blockSize, _mergeRun);
        }
        else
        {
            // Reading would move an access time. The kernel's own comparing does not.
            Part(start, end);
        }

        _pump();
    }

    private void MergeRun(long start, long end, bool same)
    {
        // It may have changed since it was read: the kernel looks once more, with both files locked.
        if (same && (_preview || _perhapsSame || Dedupe(start, end)))
        {
            _add(end - start);
        }

        _pump();
    }

    /// <summary>Halves a range that differs until its halves are the same or single blocks.</summary>
    private void Part(long start, long end)
    {
        if (end - start <= _blockSize)
        {
            return;
        }

        long middle = start + ((end - start) / _blockSize / 2 * _blockSize);
        middle = middle > start ? middle : start + _blockSize;
        foreach ((long from, long to) in (ReadOnlySpan<(long, long)>)[(start, middle), (middle, end)])
        {
            if (Dedupe(from, to))
            {
                _add(to - from);
            }
            else
            {
                Part(from, to);
            }
        }

        _pump();
    }

    /// <summary>Lets the kernel share a range. False where the bytes differ.</summary>
    private bool Dedupe(long start, long end)
    {
        while (start < end)
        {
            FileDedupeRange range = Range(start, end - start);
            Throw(Sys.DedupeRange(_reference.Descriptor, ref range));
            if (range.Status == FileDedupeRange.Differs || range.DedupedLength == 0)
            {
                return false;
            }

            start += (long)range.DedupedLength;
        }

        return true;
    }

    /// <summary>Refuses, before anything is compared, what the kernel would refuse.</summary>
    private void Check()
    {
        if (_checked)
        {
            return;
        }

        FileDedupeRange nothing = Range(0, 0);
        Throw(Sys.DedupeRange(_reference.Descriptor, ref nothing));

        // These the kernel would refuse only together with a range.
        if (Sys.GetFlags(_reference.Descriptor, out InodeFlags ofReference) >= 0 &&
            Sys.GetFlags(_file.Descriptor, out InodeFlags ofFile) >= 0)
        {
            Throw((ofFile & InodeFlags.Immutable) != 0 ? -Errno.EPERM : 0);
            Throw(((ofReference ^ ofFile) & InodeFlags.NoCow) != 0 ? -Errno.EINVAL : 0);
        }

        _checked = true;
    }

    private FileDedupeRange Range(long start, long length) => new()
    {
        SourceOffset = (ulong)start,
        SourceLength = (ulong)length,
        DestinationDescriptor = _file.Descriptor,
        DestinationOffset = (ulong)start,
    };

    private void Throw(int result)
    {
        if (result >= 0)
        {
            return;
        }

        if (result != -Errno.EINVAL)
        {
            throw BtrfsException.FromErrno(-result, "FIDEDUPERANGE", _file.Path);
        }

        // Either a file is shorter by now, or only one of them has checksums: nothing else is invalid here.
        bool changed = Sys.Stat(_reference.Descriptor, out Statx reference) < 0 ||
            Sys.Stat(_file.Descriptor, out Statx file) < 0 ||
            (long)reference.Size != _reference.Size || (long)file.Size != _file.Size;
        throw new BtrfsException(
            changed ? BtrfsError.ChangedMeanwhile : BtrfsError.NoCowMismatch, _file.Path, Errno.EINVAL, "FIDEDUPERANGE");
    }
}
