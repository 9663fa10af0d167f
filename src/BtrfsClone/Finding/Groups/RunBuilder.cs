using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>Slots in a row that hold the same as others in a row.</summary>
/// <param name="Slot">The first of those that can share the others' extents.</param>
/// <param name="Source">The first of those that are kept.</param>
/// <param name="Blocks">How many.</param>
internal readonly record struct Run(long Slot, long Source, int Blocks)
{
    public long End => Slot + Blocks;

    public long Distance => Slot - Source;
}

/// <summary>
/// Makes long runs out of links between single blocks: a run goes on for as long as both sides hold the same, and takes
/// back what has fallen to shorter runs before it. No run reaches beyond its extents, and each slot is in one run at most.
/// A block that others are linked to is in none: so an extent all of whose blocks are in runs is not the source of any.
/// </summary>
/// <param name="tables">What the scan has found.</param>
/// <param name="window">How many blocks a run has at least.</param>
/// <param name="runs">Takes the runs, by their slots.</param>
internal sealed class RunBuilder(SearchTables tables, int window, SpillList<Run> runs)
{
    private const int MostPending = 1024;

    private readonly List<Run> _pending = [];

    // The run that is being made, whether it may go on into other blocks of its extents, and the last link.
    private Run _run;
    private bool _mayGoOn;
    private Link _last;

    /// <summary>Makes all runs.</summary>
    /// <param name="links">The links, by their slots.</param>
    /// <param name="pump">Is called now and then; it may end the work by an exception.</param>
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
        // A link says of as many blocks as a window has that they are the same, and the last of them is new.
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

        // Of two extents each of which has a block that the other one is to keep, only one may follow the other.
        _mayGoOn = BlockOrder.IsBefore(link.Source, link.Order);
        _run = new Run(slot, source, blocks);
    }

    /// <summary>Goes on over blocks that are the same as the one before them, of which only the first one has a link.</summary>
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
                // The other side has fewer of them: once more from its beginning.
                Begin(_run.End, BlockOrder.SlotOf(_last.Source), 1, _last);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Whether the next block is the same on both sides, which may be in one extent and must not overlap.</summary>
    private bool Continues() =>
        _run.Blocks < Math.Min(Math.Abs(_run.Distance), int.MaxValue) &&
        KeyOf(_run.End) is ulong key and not IBlockKeys.Unknown && key == KeyOf(_run.End - _run.Distance);

    /// <summary>Ends the run that is being made.</summary>
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

    /// <summary>Takes slots from the runs before, as long as that makes the longer run.</summary>
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
