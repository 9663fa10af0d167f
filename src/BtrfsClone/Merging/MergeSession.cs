using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>
/// One invocation of merging: files that hold the same bytes as their reference share its extents afterwards
/// (FIDEDUPERANGE). The kernel compares with both files locked, so that no byte, no time and no mode ever changes. It is
/// used from one thread at a time. It needs to read both files, and to write the second, to own it, or CAP_SYS_ADMIN.
/// </summary>
public sealed class MergeSession : IDisposable, IPairVisitor
{
    private const int TickMilliseconds = 50;

    private readonly Action<MergeResult> _onResult;
    private readonly Action<BtrfsException> _onFailure;
    private readonly Action<string, MergeSkip>? _onSkip;
    private readonly Action? _onTick;
    private readonly FileMerger _files;
    private readonly PairWalk _walk;
    private CancellationToken _cancellation;
    private long _nextTick;

    /// <summary>Begins an invocation. All callbacks come on the thread that calls <see cref="Merge"/>.</summary>
    /// <param name="onResult">Takes what came of each file that both sides have.</param>
    /// <param name="onFailure">Takes each failure inside a tree.</param>
    /// <param name="onSkip">Takes the path of what only one tree has, or has as something else.</param>
    /// <param name="onTick">Is called now and then, at most every 50 ms.</param>
    /// <param name="preview">Only compares, by reading, and counts what would be shared.</param>
    public MergeSession(
        Action<MergeResult> onResult, Action<BtrfsException> onFailure, Action<string, MergeSkip>? onSkip = null,
        Action? onTick = null, bool preview = false)
    {
        (_onResult, _onFailure, _onSkip, _onTick) = (onResult, onFailure, onSkip, onTick);
        _files = new FileMerger(preview, Counters, Pump);
        _walk = new PairWalk(this);
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
    }

    /// <summary>Releases what the session holds.</summary>
    public void Dispose()
    {
        _walk.Dispose();
        _files.Dispose();
    }

    unsafe void IPairVisitor.VisitFile(PairLevel level, byte* name)
    {
        var text = new ReadOnlySpan<byte>(name, Utf8Z.Length(name));
        string path = level.PathOf(false, text);

        // Looked at before it is opened: opening a device can do something by itself.
        int found = Sys.StatEntry(level.Reference, name, out Statx status);
        if (found == -Errno.ENOENT || (found >= 0 && status.FileType != Sys.ModeRegular))
        {
            _onSkip?.Invoke(path, found < 0 ? MergeSkip.OnlyInPath : MergeSkip.OtherKind);
            return;
        }

        try
        {
            MergeFiles(
                level.Reference, name, level.PathOf(true, text), level.Directory, name, path, OpenFlags.NoFollow);
        }
        catch (BtrfsException failure)
        {
            Fail(failure);
        }

        Pump();
    }

    void IPairVisitor.VisitSingle(string path, MergeSkip reason) => _onSkip?.Invoke(path, reason);

    void IPairVisitor.VisitFailure(BtrfsException failure) => Fail(failure);

    void IPairVisitor.Pump() => Pump();

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
        var top = new PairLevel(reference, path);
        try
        {
            top.Reference = OpenDirectory(reference, out top.ReferenceStatus);
            top.Directory = OpenDirectory(path, out top.DirectoryStatus);
            if (Preconditions.WhyNotClonable(top.Reference, top.ReferenceStatus, top.Directory) is BtrfsError error)
            {
                throw new BtrfsException(error, path);
            }
        }
        catch
        {
            top.Close();
            throw;
        }

        _walk.Run(top);
    }

    private static unsafe int OpenDirectory(string path, out Statx status)
    {
        fixed (byte* name = Utf8Z.From(path))
        {
            int directory = OpenFile.Open(Sys.WorkingDirectory, name, OpenFlags.Directory, out _);
            if (directory < 0)
            {
                throw BtrfsException.FromErrno(-directory, "openat", path);
            }

            Sys.Stat(directory, out status);
            return directory;
        }
    }

    private unsafe void MergeNamed(string reference, string path)
    {
        fixed (byte* referenceName = Utf8Z.From(reference), name = Utf8Z.From(path))
        {
            MergeFiles(Sys.WorkingDirectory, referenceName, reference, Sys.WorkingDirectory, name, path, 0);
        }
    }

    private unsafe void MergeFiles(
        int referenceDirectory, byte* referenceName, string referencePath,
        int directory, byte* name, string path, int flags)
    {
        OpenFile reference = Open(referenceDirectory, referenceName, referencePath, flags, out Statx ofReference);
        try
        {
            OpenFile file = Open(directory, name, path, flags, out Statx ofFile);
            try
            {
                // Two links of one inode, one in each tree, are the same by nature.
                _onResult(_files.Merge(reference, file, isOne: ofReference.IsSameFileAs(ofFile)));
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

    private static unsafe OpenFile Open(int directory, byte* name, string path, int flags, out Statx status)
    {
        status = default;
        int descriptor = OpenFile.Open(directory, name, flags, out bool isQuiet);
        int result = descriptor < 0 ? descriptor : Sys.Stat(descriptor, out status);
        if (result >= 0 && status.FileType == Sys.ModeRegular)
        {
            return new OpenFile(descriptor, path, (long)status.Size, isQuiet);
        }

        if (descriptor >= 0)
        {
            Sys.Close(descriptor);
        }

        throw result < 0
            ? BtrfsException.FromErrno(-result, "openat", path)
            : new BtrfsException(BtrfsError.ChangedMeanwhile, path);
    }

    private void Fail(BtrfsException failure)
    {
        Counters.Failed++;
        _onFailure(failure);
    }

    private void Pump()
    {
        _cancellation.ThrowIfCancellationRequested();
        long now = Environment.TickCount64;
        if (now >= _nextTick)
        {
            _nextTick = now + TickMilliseconds;
            _onTick?.Invoke();
        }
    }
}
