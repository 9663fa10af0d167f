using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Rewrites extents, a bounded number of bytes at a time, in rounds: extents that are still in use at the end of a round are
/// rewritten again, with the data in use by then.
/// </summary>
internal sealed class RewriteRounds : IDisposable
{
    // The number of bytes written before old extents are freed, which takes a commit.
    private const long MostWritten = 64L << 20;

    // After a commit the extent tree shows which of them are freed; for fewer extents, asking the kernel for each costs less.
    private const int ManyExtents = 1024;

    // The maximum number of replacements with a file of their own.
    private const int MostFiles = 64;

    // A concurrent writer may leave a part of an extent in use, which is then replaced separately.
    private const int MostRounds = 4;

    private readonly OptimizeOptions _options;
    private readonly OptimizeCounters _counters;
    private readonly UseLookup _lookup;
    private readonly Action<BtrfsException> _report;
    private readonly OwnerFiles _files = new(FreeDescriptors.Share(3, 2, 256));
    private readonly OwnerNames _names = new();
    private readonly UseMover _mover;
    private readonly ReplacementWriter _writer;
    private readonly ReplacementFiles _new = new();
    private readonly List<Rewrite> _round = [];
    private Descriptor _directory;
    private string _path = "";
    private long _blockSize;
    private long _length;
    private int _ownFiles;
    private long _written;

    /// <param name="options">How to optimize.</param>
    /// <param name="counters">The counters to update.</param>
    /// <param name="lookup">Looks up references to extents.</param>
    /// <param name="report">Receives each failure.</param>
    /// <param name="pump">Called between two steps; it may throw to end the work.</param>
    public RewriteRounds(
        OptimizeOptions options, OptimizeCounters counters, UseLookup lookup, Action<BtrfsException> report, Action pump)
    {
        (_options, _counters, _lookup, _report) = (options, counters, lookup, report);
        Pace reading = new(options.MaximumRate, pump);
        _mover = new UseMover(_files, reading, pump);
        _writer = new ReplacementWriter(_files, reading, new Pace(options.MaximumRate, pump), pump);
    }

    /// <inheritdoc cref="ExtentReplacer.Start"/>
    public void Start(Descriptor directory, string path, long blockSize)
    {
        (_directory, _path, _blockSize, _written) = (directory, path, blockSize, 0);
        _new.Start(directory, path, blockSize);
        _names.Start(directory, path);
        Check(_files.Start(directory), SystemCall.OpenByHandleAt);
        Check(Sys.SyncFileSystem(directory), SystemCall.SyncFs);
    }

    /// <summary>Adds an extent.</summary>
    /// <exception cref="BtrfsException">There is no space, or the trees cannot be read.</exception>
    public void Add(Rewrite rewrite)
    {
        _round.Add(rewrite);
        _length += rewrite.Replacement.Length;
        _ownFiles += rewrite.Replacement.EndsInBlock ? 1 : 0;
        if (_ownFiles >= MostFiles || _length >= MostWritten)
        {
            Run();
        }
    }

    /// <summary>Rewrites what was added.</summary>
    /// <inheritdoc cref="Add"/>
    public void Run()
    {
        try
        {
            for (int round = 1; _round.Count > 0; round++)
            {
                RunOne();
                if (_round.Sum(one => one.Extents.Count) >= ManyExtents)
                {
                    Commit();
                }

                Settle(isLast: round == MostRounds);
            }
        }
        finally
        {
            End();
        }

        if (_written >= MostWritten)
        {
            Commit();
        }
    }

    /// <summary>Commits, so that old extents are freed.</summary>
    /// <exception cref="BtrfsException">The filesystem's data cannot be written to disk.</exception>
    public void Commit()
    {
        if (_written > 0)
        {
            _written = 0;
            Check(Sys.SyncFileSystem(_directory), SystemCall.SyncFs);
        }
    }

    public void Dispose() => End();

    private void RunOne()
    {
        _round.ForEach(Write);
        _new.Complete();
        foreach (Rewrite one in _round.Where(one => one.File is not null))
        {
            (long length, int extents) = one.File!.Written(one.At, one.At + one.Replacement.Length);
            if (one.NewLength == 0 && !IsWorth(one, length, extents))
            {
                // It did not compress as well as before, there is no room for larger extents, or writeback started in the middle of
                // one, which does not happen twice.
                one.IsGivenUp = extents == 1 || one.WasParted;
                one.WasParted = true;
                continue;
            }

            // The next round also moves a new snapshot's references, or leaves everything as it is.
            OwnerFailure failure = default;
            one.HasMoved = !_lookup.HasNewSubvolume(one.Extents) &&
                _mover.Move(one.Replacement, one.File, one.At, _blockSize, out failure);
            if (one.HasMoved)
            {
                one.NewLength += length;
                _counters.Written += length;
                _counters.ExtentsWritten += extents;
                _written += length;
            }

            one.Failure = failure;
        }
    }

    private bool IsWorth(Rewrite one, long length, int extents)
    {
        long gain = one.Extents.Sum(extent => extent.DiskLength) - length;
        return _options.IsWorth(gain, length) || (gain >= 0 && extents < one.Extents.Count);
    }

    /// <summary>Writes the data in use; if there is no space, once more after freeing old extents.</summary>
    private void Write(Rewrite one)
    {
        TryWrite(one);
        if (one.Failure.IsSpace && _written > 0)
        {
            Commit();
            TryWrite(one);
        }

        if (one.Failure.IsSpace)
        {
            throw one.Failure.Failure.ToException(_path);
        }
    }

    private void TryWrite(Rewrite one)
    {
        ReplacementFile file = _new.Place(one.Replacement, out long at);
        one.Failure = _writer.Write(one.Replacement, file, at);
        (one.File, one.At, one.HasMoved) = (one.Failure.Failed ? null : file, at, false);
    }

    /// <summary>Checks which extents are freed. The others stay for another round, with the data now in use.</summary>
    private void Settle(bool isLast)
    {
        List<Rewrite> left = [];
        HashSet<UsedExtent> gone = _lookup.FindGone(_round.SelectMany(one => one.Extents));
        foreach (Rewrite one in _round.Where(one => !one.IsGivenUp))
        {
            CountGone(one, gone);
            if (one.Extents.Count > 0 && one.HasMoved && LooksUp(one) && one.Replacement.TryFollow(one.Extents))
            {
                _mover.Move(one.Replacement, one.File!, one.At, _blockSize, out _);
                CountGone(one, _lookup.FindGone(one.Extents));
            }

            if (one.Extents.Count == 0)
            {
                _counters.Gained -= one.NewLength;
            }
            else if (isLast || !TryAgain(one))
            {
                Leave(one);
            }
            else
            {
                left.Add(one);
            }
        }

        _new.Dispose();
        _round.Clear();
        _round.AddRange(left);
    }

    private void CountGone(Rewrite one, HashSet<UsedExtent> gone) => one.Extents.RemoveAll(extent =>
    {
        if (!gone.Contains(extent))
        {
            return false;
        }

        _counters.ExtentsReplaced++;
        _counters.Gained += extent.DiskLength;
        return true;
    });

    private bool LooksUp(Rewrite one) => _lookup.Find(one.Extents) == one.Extents.Count;

    private bool TryAgain(Rewrite one)
    {
        if (!LooksUp(one) || !one.TryGoOn())
        {
            return false;
        }

        // What the kernel has rejected, it will reject again.
        return !one.Failure.Failed || one.Failure.HasGone;
    }

    private void Leave(Rewrite one)
    {
        _counters.Left += one.Group.Gain(_blockSize);
        _counters.Gained -= one.NewLength;
        _counters.Held += one.NewLength > 0 ? one.Extents.Sum(extent => extent.DiskLength) : 0;
        OwnerFailure failed = one.Failure;
        if (failed.IsSpace)
        {
            throw failed.Failure.ToException(_path);
        }

        if (failed.Failed && !failed.HasGone && !failed.IsRefusal)
        {
            _report(failed.Failure.OnPath().ToException(_names.Of(failed.File)));
        }
    }

    private void End()
    {
        _new.Dispose();
        _round.Clear();
        (_length, _ownFiles) = (0, 0);
        _files.Close();
    }

    private void Check(CallResult result, SystemCall call)
    {
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, _path);
        }
    }
}
