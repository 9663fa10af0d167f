using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>
/// Makes ranges of one file share the extents of another where the data is equal: the whole range in one call if possible,
/// otherwise each run of equal blocks.
/// </summary>
internal sealed class RangeMerger
{
    private readonly bool _preview;
    private readonly Action<long> _add;
    private readonly Action _pump;
    private readonly Action<long, long, bool> _mergeRun;
    private readonly Action<long, long, bool> _noteRun;
    private readonly BlockComparer _comparer = new();
    private MergedFile _reference;
    private MergedFile _file;
    private long _blockSize;
    private bool _checked;
    private bool _perhapsSame;
    private bool _areSame;

    /// <param name="preview">Only count: compare by reading, and share nothing.</param>
    /// <param name="add">Receives the length of what is now shared, or would be.</param>
    /// <param name="pump">Called between two steps; it may throw to end the work.</param>
    public RangeMerger(bool preview, Action<long> add, Action pump)
    {
        (_preview, _add, _pump) = (preview, add, pump);
        (_mergeRun, _noteRun) = (MergeRun, (_, _, same) => _areSame &= same);
    }

    private bool MayRead => _preview || (_reference.IsQuiet && _file.IsQuiet);

    /// <summary>Starts with two files.</summary>
    public void Start(in MergedFile reference, in MergedFile file, long blockSize)
    {
        (_reference, _file, _blockSize, _checked) = (reference, file, blockSize, false);
    }

    /// <summary>Merges a range of whole blocks, or up to the end of both files.</summary>
    /// <param name="start">Its start in both files.</param>
    /// <param name="end">Its end.</param>
    /// <param name="perhapsSame">Whether both are in the same extents, so that equal data need not be shared.</param>
    public void Merge(long start, long end, bool perhapsSame)
    {
        _perhapsSame = perhapsSame;
        Check();
        if (!_preview && !(_perhapsSame && MayRead) && Dedupe(start, end))
        {
            _add(end - start);
        }
        else if (MayRead)
        {
            _comparer.Compare(_reference, _file, start, end, _blockSize, _mergeRun);
        }
        else
        {
            // Reading would update an access time. The kernel's own comparison does not.
            Part(start, end);
        }

        _pump();
    }

    /// <summary>Whether a range that cannot be shared contains equal data in both files.</summary>
    public bool AreSame(long start, long end)
    {
        if (!MayRead)
        {
            // The kernel copies inline data after comparing it.
            return Dedupe(start, end);
        }

        _areSame = true;
        _comparer.Compare(_reference, _file, start, end, _blockSize, _noteRun);
        return _areSame;
    }

    private void MergeRun(long start, long end, bool same)
    {
        // It may have changed since it was read: the kernel compares it again, with both files locked.
        if (same && (_preview || _perhapsSame || Dedupe(start, end)))
        {
            _add(end - start);
        }

        _pump();
    }

    /// <summary>Halves a range that differs until its halves are equal or single blocks.</summary>
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

    /// <summary>Lets the kernel share a range. False if the data differs.</summary>
    private bool Dedupe(long start, long end)
    {
        Sys.ReadAhead(_reference.Descriptor, start, end - start);
        Sys.ReadAhead(_file.Descriptor, start, end - start);
        while (start < end)
        {
            FileDedupeRange range = Range(start, end - start);
            Throw(Sys.DedupeRange(_reference.Descriptor, _file.Descriptor, ref range).Error);
            if (range.Status == FileDedupeRange.Differs || range.DedupedLength == 0)
            {
                return false;
            }

            start += (long)range.DedupedLength;
        }

        return true;
    }

    /// <summary>Rejects, before anything is compared, what the kernel would reject.</summary>
    private void Check()
    {
        if (_checked)
        {
            return;
        }

        // Less than a block, and not the end of either file, is truncated to nothing (generic_remap_checks, fs/remap_range.c): with
        // checksums in one file only, with a swap file or an immutable one it fails, and otherwise nothing is done.
        FileDedupeRange nothing = Range(0, Math.Min(_reference.Size, _file.Size) > 1 ? 1 : 0);
        Throw(Sys.DedupeRange(_reference.Descriptor, _file.Descriptor, ref nothing).Error);
        _checked = true;
    }

    private static FileDedupeRange Range(long start, long length) => new()
    {
        SourceOffset = (ulong)start,
        SourceLength = (ulong)length,
        DestinationOffset = (ulong)start,
    };

    private void Throw(Errno error)
    {
        if (error == Errno.None)
        {
            return;
        }

        throw error == Errno.EINVAL
            ? new BtrfsException(
                ChecksumMismatch.WhyInvalid(_reference.Descriptor, _file.Descriptor), _file.Path, SystemCall.DedupeRange, error)
            : BtrfsException.FromErrno(error, SystemCall.DedupeRange, _file.Path);
    }
}
