using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Replaces extents of which only parts are in use, and small ones that all files use one after the other, some at a time: what is
/// in use is written once, all that refers to it moves there, and the old extents are seen to be gone. Whenever it ends, each file
/// holds what it held.
/// </summary>
internal sealed class ExtentReplacer : IDisposable
{
    private const int MostPending = 1 << 16;

    private readonly OptimizeOptions _options;
    private readonly OptimizeCounters _counters;
    private readonly Action _pump;
    private readonly UseLookup _lookup = new();
    private readonly GroupSearch _groups;
    private readonly RewriteRounds _rounds;
    private readonly List<UsedExtent> _pending = [];
    private long _blockSize;

    /// <param name="options">How to optimize.</param>
    /// <param name="counters">Where to count.</param>
    /// <param name="report">Takes each failure.</param>
    /// <param name="pump">Is called between two steps; it may end the work by an exception.</param>
    public ExtentReplacer(OptimizeOptions options, OptimizeCounters counters, Action<BtrfsException> report, Action pump)
    {
        (_options, _counters, _pump) = (options, counters, pump);
        _groups = new GroupSearch(options, counters);
        _rounds = new RewriteRounds(options, counters, _lookup, report, pump);
    }

    /// <summary>Begins with an item.</summary>
    /// <param name="directory">An open directory of the filesystem, in which files without names can be made.</param>
    /// <param name="path">What to call the item in errors.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <exception cref="BtrfsException">The process lacks what it takes.</exception>
    public void Start(Descriptor directory, string path, long blockSize)
    {
        _blockSize = blockSize;
        _pending.Clear();
        CallResult result = _lookup.Start(directory, path);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.LogicalIno, path);
        }

        _rounds.Start(directory, path, blockSize);
    }

    /// <summary>Takes an extent of which something may not be in use, or that may be joined with those after it.</summary>
    /// <exception cref="BtrfsException">There is no space, or the trees cannot be read.</exception>
    public void Add(UsedExtent extent)
    {
        _pending.Add(extent);
        if (_pending.Count >= MostPending)
        {
            Work();
        }
    }

    /// <summary>Replaces what is left, and gives back what has come free.</summary>
    /// <inheritdoc cref="Add"/>
    public void Complete()
    {
        Work();
        _rounds.Commit();
    }

    public void Dispose() => _rounds.Dispose();

    private void Work()
    {
        while (_pending.Count > 0)
        {
            _pump();
            int count = _lookup.Find(_pending);
            foreach (ExtentGroup group in _groups.Find(_pending.Take(count), _blockSize))
            {
                Consider(group);
                _pump();
            }

            _pending.RemoveRange(0, count);
        }

        _rounds.Run();
    }

    private void Consider(ExtentGroup group)
    {
        long gain = group.Gain(_blockSize);
        if (group.Extents.Count == 1 && !_options.IsWorth(gain, group.Length))
        {
            return;
        }

        if (!group.MayMove)
        {
            _counters.Left += gain;
        }
        else if (_options.Preview)
        {
            _counters.ExtentsReplaced += group.Extents.Count;
            _counters.ExtentsWritten += group.ExtentsExpected;
            _counters.Gained += gain;
            _counters.Written += group.DiskLength - gain;
        }
        else
        {
            _rounds.Add(new Rewrite(group));
        }
    }
}
