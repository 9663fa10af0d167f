using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Measuring;
using BtrfsClone.Walking;

namespace BtrfsClone.Carrying;

/// <summary>
/// How much an invocation has to copy to another filesystem, whether there is space for it, and the progress of copying. Data that
/// items share is counted once for each item.
/// </summary>
/// <param name="counters">The counters of the invocation.</param>
public sealed class CarryProgress(CloneCounters counters)
{
    private bool _isUnknown; // Whether the total is.
    private long _total;
    private long _before;
    private long _begin;

    /// <summary>The copied fraction, from 0 to 1; null if it is unknown.</summary>
    public double? Fraction => _total > 0 && !_isUnknown ? Math.Min((double)Copied / _total, 1) : null;

    /// <summary>The estimated remaining time, or null if it is unknown.</summary>
    public TimeSpan? TimeLeft => Fraction is > 0 and { } done ? Stopwatch.GetElapsedTime(_begin) * ((1 - done) / done) : null;

    /// <summary>
    /// Items with more extents are copied without being measured: the tables for this many take 50 MB, and copying itself needs
    /// none.
    /// </summary>
    internal int MostExtents { get; init; } = 1_000_000;

    // In whole blocks, as in measurements.
    private long Copied => counters.CopiedLength + counters.Padding - _before;

    /// <summary>Measures an item before it is copied, if its destination is on another filesystem.</summary>
    /// <param name="source">The item's absolute path.</param>
    /// <param name="destination">Its destination.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <returns>A warning about insufficient space, or null.</returns>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public string? Add(string source, CloneDestination destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        if (FindRoom(source, destination, out long free, out bool areBothBtrfs) is not { } place)
        {
            return null;
        }

        if (_begin == 0)
        {
            (_before, _begin) = (counters.CopiedLength + counters.Padding, Stopwatch.GetTimestamp());
        }

        MeasureResult measured;
        try
        {
            var options = new MeasureOptions { MostExtents = MostExtents };
            using var session = new MeasureSession(options, new SessionEvents { OnFailure = _ => { } });
            measured = session.Measure(source, cancellation);
        }
        catch (BtrfsException)
        {
            return null; // Copying it fails for the same reason, or does not need the result.
        }

        catch (InsufficientMemoryException)
        {
            _isUnknown = true;
            return null;
        }

        long length = measured.ExclusiveLength + measured.SetSharedLength + (measured.InlineLength ?? 0);
        long needed = areBothBtrfs ? measured.DiskLength ?? length : length;
        _total += length;
        return needed <= free ? null
            : $"{PathText.Printable(source)}: {needed} bytes may have to be written, and {free} are free at {PathText.Printable(place)}.";
    }

    /// <summary>The progress as text: bytes, rate and, if known, total bytes and remaining time; null if nothing is copied.</summary>
    public string? Describe()
    {
        if (Fraction is null && !_isUnknown)
        {
            return null;
        }

        double seconds = Math.Max(Stopwatch.GetElapsedTime(_begin).TotalSeconds, 0.001);
        string left = TimeLeft is { } time ? $", {time:hh\\:mm\\:ss} left" : "";
        string all = _isUnknown ? "" : $" of {_total / 1e6:N1}";
        return $"{Copied / 1e6:N1}{all} MB copied, {Copied / seconds / 1e6:N1} MB/s{left}";
    }

    /// <summary>The directory that an item on another filesystem is copied to, and the free bytes there; otherwise null.</summary>
    private static string? FindRoom(string source, CloneDestination destination, out long free, out bool areBothBtrfs)
    {
        free = 0;
        areBothBtrfs = false;
        if (HeldDirectory.Open(source, out HeldDirectory? from).Failed &&
            HeldDirectory.Open(CloneDestination.ParentOf(source), out from).Failed)
        {
            return null;
        }

        using (from)
        {
            string? path = destination.NewName is { } name ? Path.Join(destination.Directory, name) : destination.Directory;
            HeldDirectory? to = null;
            while (path is not null && HeldDirectory.Open(path, out to).Failed)
            {
                path = Path.GetDirectoryName(path); // It does not exist yet, or is a file.
            }

            using (to)
            {
                if (to is null || Sys.Stat(source, follow: false, out Statx status).Failed || to.Stat(out Statx place).Failed ||
                    FileSystems.AreOne(from!.Descriptor, status, to.Descriptor, place) != false)
                {
                    return null;
                }

                areBothBtrfs = Sys.FileSystemMagic(from.Descriptor, out long one).Succeeded && one == Sys.BtrfsMagic &&
                    Sys.FileSystemMagic(to.Descriptor, out long other).Succeeded && other == Sys.BtrfsMagic;
                return Sys.FreeSpace(to.Descriptor, out free).Succeeded ? path : null;
            }
        }
    }
}
