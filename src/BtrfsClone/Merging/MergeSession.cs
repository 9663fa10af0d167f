using System.Collections.Concurrent;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>
/// One invocation of merging: files that hold the same bytes as their reference share its extents afterwards
/// (FIDEDUPERANGE). The kernel compares with both files locked, so that no byte, no time and no mode ever changes. It is
/// used from one thread at a time. It needs to read both files, and to write the second, to own it, or CAP_SYS_ADMIN.
/// </summary>
public sealed class MergeSession : IDisposable
{
    private const int TickMilliseconds = 50;

    private readonly Action<MergeResult> _onResult;
    private readonly Action<BtrfsException> _onFailure;
    private readonly Action<string, PairGap>? _onGap;
    private readonly Action? _onTick;
    private readonly bool _preview;
    private readonly ConcurrentQueue<MergeNews> _news = new();
    private readonly MergeWorker _worker;
    private CancellationToken _cancellation;
    private long _nextTick;

    /// <summary>Begins an invocation. All callbacks come on the thread that calls <see cref="Merge"/>.</summary>
    /// <param name="onResult">Takes what came of each file that both sides have.</param>
    /// <param name="onFailure">Takes each failure inside a tree.</param>
    /// <param name="onGap">Takes the path of what only one tree has, or has as something else.</param>
    /// <param name="onTick">Is called now and then, at most every 50 ms.</param>
    /// <param name="preview">Only compares, by reading, and counts what would be shared.</param>
    public MergeSession(
        Action<MergeResult> onResult, Action<BtrfsException> onFailure, Action<string, PairGap>? onGap = null,
        Action? onTick = null, bool preview = false)
    {
        (_onResult, _onFailure, _onGap, _onTick, _preview) = (onResult, onFailure, onGap, onTick, preview);
        _worker = NewWorker(Pump);
    }

    /// <summary>Running totals.</summary>
    public MergeCounters Counters { get; } = new();

    /// <summary>Merges a file with a file, or a directory with a directory by the relative paths below them.</summary>
    /// <param name="reference">The file or directory whose extents are shared; a symbolic link is followed.</param>
    /// <param name="path">The file or directory that is to share them; a symbolic link is followed.</param>
    /// <param name="cancellation">Stops between two ranges. What was shared until then stays so.</param>
    /// <exception cref="BtrfsException">The items themselves were refused or failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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

        Drain();
    }

    /// <summary>Releases what the session holds.</summary>
    public void Dispose() => _worker.Dispose();

    internal MergeWorker NewWorker(Action pump) => new(_preview, Counters, pump);

    /// <summary>Keeps what is to be told for the caller's thread.</summary>
    internal void Report(MergeNews news)
    {
        if (news.Failure is not null)
        {
            Counters.AddFailed();
        }

        _news.Enqueue(news);
    }

    /// <summary>Hands out what was kept, and lets the front end show progress; on the caller's thread only.</summary>
    internal void Pump()
    {
        _cancellation.ThrowIfCancellationRequested();
        Drain();
        long now = Environment.TickCount64;
        if (now >= _nextTick)
        {
            _nextTick = now + TickMilliseconds;
            _onTick?.Invoke();
        }
    }

    internal static unsafe MergeResult MergeFiles(
        MergeWorker worker, int referenceDirectory, byte* referenceName, string referencePath,
        int directory, byte* name, string path, int flags)
    {
        OpenFile reference = OpenFile.Open(referenceDirectory, referenceName, referencePath, flags, out Statx ofReference);
        try
        {
            OpenFile file = OpenFile.Open(directory, name, path, flags, out Statx ofFile);
            try
            {
                // Two links of one inode, one in each tree, are the same by nature.
                return worker.Files.Merge(reference, file, isOne: ofReference.IsSameFileAs(ofFile));
            }
            finally
            {
                Sys.Close(file.Descriptor);
            }
        }
        finally
        {
            Sys.Close(reference.Descriptor);
        }
    }

    private static Statx Look(string path)
    {
        int result = Sys.Stat(path, follow: true, out Statx status);
        if (result < 0)
        {
            throw BtrfsException.FromErrno(-result, "statx", path);
        }

        return status.FileType is Sys.ModeRegular or Sys.ModeDirectory
            ? status
            : throw new BtrfsException(BtrfsError.NotRegularFile, path);
    }

    private void MergeTrees(string reference, string path)
    {
        PairNode tops = PairNode.OpenTops(reference, path);
        if (Preconditions.WhyNotClonable(tops.Reference, tops.ReferenceStatus, tops.Directory) is BtrfsError error)
        {
            tops.Close();
            throw new BtrfsException(error, path);
        }

        new MergeWalk(this, _cancellation).Run(tops, _worker);
        _cancellation.ThrowIfCancellationRequested();
    }

    private unsafe void MergeNamed(string reference, string path)
    {
        fixed (byte* referenceName = Utf8Z.From(reference), name = Utf8Z.From(path))
        {
            Report(new MergeNews(Result: MergeFiles(
                _worker, Sys.WorkingDirectory, referenceName, reference, Sys.WorkingDirectory, name, path, 0)));
        }
    }

    private void Drain()
    {
        while (_news.TryDequeue(out MergeNews news))
        {
            if (news.Result is not null)
            {
                _onResult(news.Result);
            }
            else if (news.Failure is not null)
            {
                _onFailure(news.Failure);
            }
            else
            {
                _onGap?.Invoke(news.GapPath!, news.Gap);
            }
        }
    }
}
