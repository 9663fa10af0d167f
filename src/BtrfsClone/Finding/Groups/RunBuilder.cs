using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>Consecutive slots that are equal to other consecutive slots.</summary>
/// <param name="Slot">The first slot that can share the others' extents.</param>
/// <param name="Source">The first slot that is kept.</param>
/// <param name="Blocks">The number of blocks.</param>
internal readonly record struct Run(long Slot, long Source, int Blocks)
{
    public long End => Slot + Blocks;

    public long Distance => Slot - Source;
}

/// <summary>
/// Builds long runs from links between single blocks: a run is extended as long as both sides are equal, and takes back slots that
/// were assigned to shorter runs before it. A run does not cross extent boundaries, and each slot is in at most one run. A block
/// that others are linked to is in none: so an extent all of whose blocks are in runs is never a source.
/// </summary>
/// <param name="tables">The results of the scan.</param>
/// <param name="window">The minimum length of a run in blocks.</param>
/// <param name="runs">Receives the runs, sorted by slot.</param>
internal sealed class RunBuilder(SearchTables tables, int window, SpillList<Run> runs)
{
    private const int MostPending = 1024;

    private readonly List<Run> _pending = [];

    // The current run, whether it may be extended to other blocks of its extents, and the last link.
    private Run _run;
    private bool _mayGoOn;
    private Link _last;

    /// <summary>Builds all runs.</summary>
    /// <param name="links">The links, sorted by slot.</param>
    /// <param name="pump">Called from time to time; it may throw to end the work.</param>
    public void Run(SortedReader<Link> links, Action<long> pump)
    {
        const int Step = 1 << 14;
        for (long count = 1; links.Next(out Link link); count++)
        {
            Take(link);
            if (count % Step == 0)
            {
                pump(Step);
            }
        }

        Fill(long.MaxValue);
        Keep();
        Flush();
    }

    private void Take(in Link link)
    {
        // A link means that as many blocks as the window has are equal, and the last of them is new.
        long slot = BlockOrder.SlotOf(link.Order);
        long next = slot + window - 1;
        Fill(next);
        if (_run.Blocks > 0 && next == _run.End && _mayGoOn && Continues())
        {
            _run = _run with { Blocks = _run.Blocks + 1 };
        }
        else
        {
            int known = (int)Math.Max(_run.End - slot, 0);
            Begin(slot + known, BlockOrder.SlotOf(link.Source) + known, window - known, link);
        }

        _last = link;
    }

    private void Begin(long slot, long source, int blocks, in Link link)
    {
        Keep();
        if (slot != _run.End || _pending.Count >= MostPending)
        {
            Flush();
        }

        // If each of two extents has a block that the other one is to keep, only one may follow the other.
        _mayGoOn = BlockOrder.IsBefore(link.Source, link.Order);
        _run = new Run(slot, source, blocks);
    }

    /// <summary>Continues over blocks that repeat the block before them, of which only the first has a link.</summary>
    private void Fill(long next)
    {
        while (_run.Blocks > 0 && _run.End < next)
        {
            ulong key = KeyOf(_run.End);
            if (key == IBlockKeys.Unknown || key != KeyOf(_run.End - 1))
            {
                return;
            }

            if (Continues())
            {
                _run = _run with { Blocks = _run.Blocks + 1 };
            }
            else if (key == KeyOf(BlockOrder.SlotOf(_last.Order)))
            {
                // The other side has fewer repetitions: start again at its beginning.
                Begin(_run.End, BlockOrder.SlotOf(_last.Source), 1, _last);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Whether the next blocks of both sides are equal; the sides may be in one extent but must not overlap.</summary>
    private bool Continues() =>
        _run.Blocks < Math.Min(Math.Abs(_run.Distance), int.MaxValue) &&
        KeyOf(_run.End) is ulong key and not IBlockKeys.Unknown && key == KeyOf(_run.End - _run.Distance);

    /// <summary>Ends the current run.</summary>
    private void Keep()
    {
        if (_mayGoOn)
        {
            TakeBack();
        }

        if (_run.Blocks >= window)
        {
            _pending.Add(_run);
        }
    }

    /// <summary>Takes slots from preceding runs, as long as that gives the longer run.</summary>
    private void TakeBack()
    {
        while (_pending.Count > 0 && _pending[^1].End == _run.Slot)
        {
            Run before = _pending[^1];
            int most = (int)Math.Min(before.Blocks, Math.Abs(_run.Distance) - _run.Blocks);
            int taken = 0;
            while (taken < most && KeyOf(_run.Slot - taken - 1) == KeyOf(_run.Source - taken - 1))
            {
                taken++;
            }

            if (taken < before.Blocks && (taken == 0 || _run.Blocks <= before.Blocks))
            {
                return;
            }

            _run = new Run(_run.Slot - taken, _run.Source - taken, _run.Blocks + taken);
            _pending.RemoveAt(_pending.Count - 1);
            if (taken < before.Blocks)
            {
                if (before.Blocks - taken >= window)
                {
                    _pending.Add(before with { Blocks = before.Blocks - taken });
                }

                return;
            }
        }
    }

    private void Flush()
    {
        runs.Add(CollectionsMarshal.AsSpan(_pending));
        _pending.Clear();
    }

    private ulong KeyOf(long slot) =>
        (ulong)slot < (ulong)tables.Keys.Count ? tables.Keys[slot] : IBlockKeys.Unknown;
}
