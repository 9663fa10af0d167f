using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Replaces extents that are only partly in use, and small ones that all files use consecutively, several at a time: data in use is
/// written once, all references are moved to it, and then the old extents are checked to be freed. Whenever this ends, the content
/// of each file is unchanged.
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
    /// <param name="counters">The counters to update.</param>
    /// <param name="report">Receives each failure.</param>
    /// <param name="pump">Called between two steps; it may throw to end the work.</param>
    public ExtentReplacer(OptimizeOptions options, OptimizeCounters counters, Action<BtrfsException> report, Action pump)
    {
        (_options, _counters, _pump) = (options, counters, pump);
        _groups = new GroupSearch(options, counters);
        _rounds = new RewriteRounds(options, counters, _lookup, report, pump);
    }

    /// <summary>Starts an item.</summary>
    /// <param name="directory">An open directory on the filesystem, in which unnamed files can be created.</param>
    /// <param name="path">The path of the item to use in error messages.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <exception cref="BtrfsException">The process lacks the required capabilities.</exception>
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

    /// <summary>Adds an extent that may be partly unused, or may be joined with those after it.</summary>
    /// <exception cref="BtrfsException">There is no space, or the trees cannot be read.</exception>
    public void Add(UsedExtent extent)
    {
        _pending.Add(extent);
        if (_pending.Count >= MostPending)
        {
            Work();
        }
    }

    /// <summary>Replaces the remaining extents, and commits, so that space is freed.</summary>
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
