using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>
/// One invocation of merging: files with the same data as their reference share its extents afterwards (FIDEDUPERANGE). The kernel
/// compares the data with both files locked, so that no byte, time or mode ever changes. Must be used from one thread at a time.
/// Requires read access to both files, and for the second, write access, ownership or CAP_SYS_ADMIN.
/// </summary>
public sealed class MergeSession : IDisposable
{
    private readonly MergeOptions _options;
    private readonly MergeReport _report;
    private readonly MergeWorker _worker;
    private CancellationToken _cancellation;

    /// <summary>Creates a session.</summary>
    /// <param name="options">How to merge.</param>
    /// <param name="events">Receives events, on the thread that calls <see cref="Merge"/>.</param>
    public MergeSession(MergeOptions options, MergeEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        _options = options;
        _report = new MergeReport(events);
        _worker = new MergeWorker(options.Preview, Counters, Pump);
    }

    /// <summary>Running totals.</summary>
    public MergeCounters Counters => _report.Counters;

    /// <summary>Merges two files, or two directories by relative path.</summary>
    /// <param name="reference">The file or directory whose extents are shared; a symbolic link is followed.</param>
    /// <param name="path">The file or directory that will share them; a symbolic link is followed.</param>
    /// <param name="cancellation">Cancels between two ranges. Data that is shared by then stays shared.</param>
    /// <exception cref="BtrfsException">The items themselves were rejected or failed.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public void Merge(string reference, string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(path);
        _cancellation = cancellation;
        cancellation.ThrowIfCancellationRequested();
        Statx ofReference = Look(reference);
        Statx ofPath = Look(path);
        if (ofReference.IsSameFileAs(ofPath))
        {
            throw new BtrfsException(BtrfsError.SameFile, path);
        }

        if (ofReference.FileType != ofPath.FileType)
        {
            throw new BtrfsException(
                BtrfsError.NotRegularFile, path, description: "a file and a directory cannot be merged");
        }

        if (ofPath.FileType == Sys.ModeDirectory)
        {
            MergeTrees(reference, path);
        }
        else
        {
            MergeNamed(reference, path);
        }

        _report.Drain();
    }

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose() => _worker.Dispose();

    private static Statx Look(string path)
    {
        CallResult result = Sys.Stat(path, follow: true, out Statx status);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        return status.FileType is Sys.ModeRegular or Sys.ModeDirectory
            ? status
            : throw new BtrfsException(BtrfsError.NotRegularFile, path);
    }

    private void MergeTrees(string reference, string path)
    {
        PairNode tops = PairNode.OpenTops(reference, path);
        if (ExtentSharing.WhyNot(tops.Reference, tops.ReferenceStatus, tops.Directory) is BtrfsError error)
        {
            tops.Close();
            throw new BtrfsException(error, path);
        }

        new MergeWalk(_options, _report, Pump, _cancellation).Run(tops, _worker);
        _cancellation.ThrowIfCancellationRequested();
    }

    private unsafe void MergeNamed(string reference, string path)
    {
        fixed (byte* referenceName = Utf8Z.From(reference), name = Utf8Z.From(path))
        {
            _report.Add(_worker.Merge(
                Descriptor.WorkingDirectory, referenceName, reference, Descriptor.WorkingDirectory, name, path, 0));
        }
    }

    private void Pump()
    {
        _cancellation.ThrowIfCancellationRequested();
        _report.Pump();
    }
}
