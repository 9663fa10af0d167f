using BtrfsClone.Interop;
using BtrfsClone.Measuring;

namespace BtrfsClone.Reporting;

/// <summary>
/// Writes a page that shows the disk usage of directories, what they share, and what deleting them would free. Must be used from
/// one thread at a time; uses several threads internally.
/// </summary>
/// <remarks>
/// Requires CAP_SYS_ADMIN and btrfs. Memory grows by some 200 bytes per file, and 70 per file extent. The content of files is not
/// read; delayed data of the filesystem is written to disk first (syncfs(2)).
/// </remarks>
/// <example>
/// <code>
/// var events = new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// using var session = new ReportSession(new ReportOptions { Output = "/srv/usage.html" }, events);
/// session.Add("/srv");
/// session.Write(CancellationToken.None);
/// </code>
/// </example>
public sealed class ReportSession : IDisposable
{
    // The maximum number of failures that the page lists individually.
    private const int MaxFailures = 1000;

    private readonly ReportFile _file;
    private readonly ReportOptions _options;
    private readonly SessionEvents _events;
    private readonly MeasureSession _measuring;
    private readonly ReportTree _tree = new();
    private readonly List<string> _paths = [];
    private readonly List<string> _failures = [];
    private long _files;
    private long _failed;

    /// <summary>Creates a session.</summary>
    /// <param name="options">Where to write the report.</param>
    /// <param name="events">Receives events, on the thread that uses the session.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.DestinationNotFound"/>: its directory does not exist; <see cref="BtrfsError.DestinationExists"/>.
    /// </exception>
    public ReportSession(ReportOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        (_options, _events) = (options, events);
        _file = new ReportFile(options.Output, options.Force);
        _measuring = new MeasureSession(
            new MeasureOptions { Reclaimable = true, Ledger = _tree }, events with { OnFailure = Report });
    }

    /// <summary>The number of files measured so far.</summary>
    public long Files => _files + _measuring.Files;

    /// <summary>Adds a directory with everything below it. One that is inside another one, or the same, is shown there.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotADirectory"/>; <see cref="BtrfsError.PermissionDenied"/>.
    /// </exception>
    public void Add(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        CallResult result = Sys.Stat(path, follow: false, out Statx status);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.Statx, path);
        }

        if (status.FileType != Sys.ModeDirectory)
        {
            throw new BtrfsException(BtrfsError.NotADirectory, path, "a report is about directories, and it is none");
        }

        _paths.Add(path);
    }

    /// <summary>Measures all directories, and writes the page.</summary>
    /// <param name="cancellation">Cancels immediately, and nothing is written.</param>
    /// <returns>The result; null if none of the directories could be measured, and nothing was written.</returns>
    /// <exception cref="BtrfsException">The page cannot be written.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public ReportResult? Write(CancellationToken cancellation)
    {
        foreach (string path in GivenDirectories.Outermost(_paths))
        {
            try
            {
                _files += _measuring.Measure(path, cancellation).Files;
            }
            catch (BtrfsException failure)
            {
                Report(failure);
            }
        }

        if (_tree.Nodes.Count == 1)
        {
            return null;
        }

        SmallEntries.Fold(_tree, _options.MaxDirectories, _options.MaxFiles);
        _tree.Arrange();
        _tree.Link(_measuring.LinkedNames);
        var pairs = new TopPairs(_tree);
        var holders = new ExtentHolders(_tree, pairs);
        holders.AddNames(_measuring.LinkedNames);
        _measuring.CountExtents(holders, cancellation);
        ReportResult result = Result();
        _tree.GiveToFolds();
        var data = new ReportData(_tree);
        _file.Write(output => ReportPage.Write(output, stream =>
        {
            data.Write(stream, pairs, _failures, _failed);
            cancellation.ThrowIfCancellationRequested();
        }));
        return result;
    }

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose()
    {
        _measuring.Dispose();
        _file.Dispose();
    }

    private ReportResult Result()
    {
        var all = new ReportNode(0, null, [], isDirectory: true);
        long directories = -1; // The root is not counted.
        foreach (ReportNode node in _tree.Nodes)
        {
            all.Add(node);
            directories += node.IsDirectory ? 1 : 0;
        }

        return new ReportResult
        {
            Path = _options.Output,
            Files = all.Files,
            Directories = directories,
            Length = all.Length,
            DiskLength = all.DataLength + all.InlineDiskLength,
            ReclaimableLength = all.AloneLength + all.InsideLength,
            Failed = _failed,
        };
    }

    private void Report(BtrfsException failure)
    {
        _failed++;
        if (_failures.Count < MaxFailures)
        {
            _failures.Add(failure.Message);
        }

        _events.OnFailure(failure);
    }
}
