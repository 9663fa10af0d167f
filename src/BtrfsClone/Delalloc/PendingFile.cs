using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>The result of <see cref="PendingFile.Advance"/>.</summary>
internal enum Progress
{
    /// <summary>It has delayed data or data under writeback: it has to stay open and be checked later.</summary>
    Busy,

    /// <summary>It has none.</summary>
    Quiet,

    /// <summary>A call failed.</summary>
    Failed,
}

/// <summary>One open file that is being flushed. The objects are reused.</summary>
internal sealed class PendingFile
{
    /// <summary>
    /// Milliseconds. A writer waits while its pages are written out, and takes a moment to continue: a file that was changed less
    /// than this before it was found busy, or later, is only quiet when it has been so for this long.
    /// </summary>
    private const int Settle = 50;

    /// <summary>The number of bytes for which one call starts writeback, so that no call blocks for long on a slow device.</summary>
    private const long Step = 16 << 20;
    private static readonly ulong s_pagesOfStep = (ulong)(Step / Environment.SystemPageSize);

    /// <summary>The maximum number of extents per FIEMAP call: delayed data is mostly in the first.</summary>
    public const int FiemapExtents = 64;

    /// <summary>Milliseconds. If one file took longer than this, others that were quiet may not be any more.</summary>
    private const int Long = 100;

    private bool _looked;
    private bool _wasBusy;
    private DateTime _busySince;
    private DateTime _changed;
    private long _quietSince;

    public DelallocItem Item { get; private set; } = null!;

    public Descriptor Descriptor { get; private set; }

    /// <summary>Another pass over its directory is necessary.</summary>
    public bool LookAgain { get; private set; }

    /// <summary>The number of times that it was checked.</summary>
    public int Rounds { get; private set; }

    /// <summary>Whether it had delayed data or data under writeback.</summary>
    public bool WasBusy => _wasBusy;

    /// <summary>The call that failed.</summary>
    public SystemCall FailedCall { get; private set; }

    /// <summary>The errno.</summary>
    public Errno FailedError { get; private set; }

    public void Take(DelallocItem item, Descriptor descriptor)
    {
        Item = item;
        Descriptor = descriptor;
        _looked = _wasBusy = LookAgain = false;
        Rounds = 0;
    }

    /// <summary>Closes it, unless it is closed already.</summary>
    public void Close()
    {
        Sys.Close(Descriptor);
        Descriptor = Descriptor.None;
    }

    /// <summary>
    /// One round of what the kernel does before it clones: check, write out, and once nothing is found, wait for ordered extents
    /// and check again.
    /// </summary>
    public Progress Advance(bool flush, FiemapReader fiemap)
    {
        bool first = !_looked;
        _looked = true;
        Rounds++;

        Activity activity = Look(fiemap, out ulong dirtyPages);
        if (activity is Activity.InFlight or Activity.Delayed)
        {
            NoteBusy(again: !first && activity == Activity.Delayed);
            return flush && activity == Activity.Delayed ? StartWriteOut(dirtyPages) : Progress.Busy;
        }

        // If the state cannot be determined, it is written out once, together with the others.
        if (activity == Activity.Unknown && flush && first && Item.Passes <= 1)
        {
            return StartWriteOut(ulong.MaxValue);
        }

        // Later passes check who has written since; ordered extents have been waited for by then.
        if (first && Item.Passes > 1)
        {
            return Progress.Quiet;
        }

        // Clean pages may still have a pending ordered extent, and only this waits for it. Nothing is left for it to write out, so
        // it is also right if only waiting was requested; unless the state cannot be determined.
        CallResult result = flush || activity == Activity.None ? Sys.Flush(Descriptor) : CallResult.Success;
        if (result.Failed && result.Error is not (Errno.EOPNOTSUPP or Errno.ENOTTY))
        {
            return Fail(SystemCall.Fiemap, result);
        }

        if (Look(fiemap, out _) is Activity.Delayed or Activity.InFlight)
        {
            NoteBusy(again: true);
            return Progress.Busy;
        }

        if (_wasBusy && !IsSettled())
        {
            return Progress.Busy;
        }

        LookAgain |= _wasBusy && DateTime.UtcNow > _busySince.AddMilliseconds(Long);
        return Progress.Quiet;
    }

    /// <param name="again">It was written to during or after writeback.</param>
    private void NoteBusy(bool again)
    {
        LookAgain |= again || Item.Passes > 1;
        _quietSince = long.MaxValue;
        if (!_wasBusy)
        {
            _wasBusy = true;
            _busySince = DateTime.UtcNow;
        }
    }

    private bool IsSettled()
    {
        _ = Sys.Stat(Descriptor, out Statx status);
        DateTime changed = DateTime.UnixEpoch.AddSeconds(status.ChangeTime.Seconds)
            .AddTicks(status.ChangeTime.Nanoseconds / TimeSpan.NanosecondsPerTick);
        if (changed < _busySince.AddMilliseconds(-Settle))
        {
            return true;
        }

        long now = Environment.TickCount64;
        if (_quietSince == long.MaxValue || changed != _changed)
        {
            _quietSince = now;
            _changed = changed;
        }

        return now - _quietSince >= Settle;
    }

    private Progress StartWriteOut(ulong dirtyPages)
    {
        CallResult result = CallResult.Success;
        if (dirtyPages <= s_pagesOfStep)
        {
            result = Sys.StartWriteOut(Descriptor, 0, 0);
        }
        else
        {
            _ = Sys.Stat(Descriptor, out Statx status);
            for (long offset = 0; result.Succeeded && offset < (long)status.Size && !Item.Ended; offset += Step)
            {
                result = Sys.StartWriteOut(Descriptor, offset, Step);
            }
        }

        return result.Failed ? Fail(SystemCall.SyncFileRange, result) : Progress.Busy;
    }

    private Progress Fail(SystemCall call, CallResult result)
    {
        FailedCall = call;
        FailedError = result.Error;
        return Progress.Failed;
    }

    private Activity Look(FiemapReader fiemap, out ulong dirtyPages)
    {
        dirtyPages = 0;
        if (Sys.CacheStat(Descriptor, 0, 0, out CacheStatus pages).Failed)
        {
            return ShowsDelalloc(fiemap) ? Activity.Delayed : Activity.Unknown;
        }

        dirtyPages = pages.Dirty;
        return pages.Dirty > 0 ? Activity.Delayed : pages.Writeback > 0 ? Activity.InFlight : Activity.None;
    }

    /// <summary>What FIEMAP reports, which does not include dirty data over existing extents.</summary>
    private bool ShowsDelalloc(FiemapReader fiemap)
    {
        fiemap.Start(Descriptor, "");
        while (fiemap.TryMapOn(long.MaxValue))
        {
            foreach (ref readonly FiemapExtent extent in fiemap.Extents)
            {
                if ((extent.Flags & FiemapExtentFlags.Delalloc) != 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private enum Activity
    {
        None,

        /// <summary>Under writeback.</summary>
        InFlight,

        /// <summary>Dirty, and writeback may not have started.</summary>
        Delayed,

        /// <summary>Nothing was found by a check that does not find everything.</summary>
        Unknown,
    }
}
