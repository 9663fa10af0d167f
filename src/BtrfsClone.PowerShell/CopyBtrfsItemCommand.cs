using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Carrying;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Copy-BtrfsItem</c>: clones files and directory trees by sharing their extents, with everything that belongs
/// to them.
/// </summary>
[Cmdlet(
    VerbsCommon.Copy,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Uri)]
[OutputType(typeof(CloneResult))]
public sealed partial class CopyBtrfsItemCommand : BtrfsCmdlet
{
    // With -Atomic nothing is there before the end, and so nothing is written before.
    private readonly List<CloneResult> _results = [];

    private CloneSession? _session;
    private SnapshotClone? _snapshots;
    private CarryProgress? _carried;
    private WorkProgress? _progress;
    private CloneDestination? _destination;
    private string _destinationPath = "";
    private string? _relativeBase;

    /// <inheritdoc/>
    protected override bool TakesHidden => Force;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        CleanUpWhenProcessEnds();
        RefuseBesideSnapshot();
        RefuseBesideAtomic();
        if (!Container)
        {
            ThrowTerminatingError(ErrorRecords.NoContainer());
        }

        RefuseBesideNoTargetDirectory();
        _destinationPath = SessionPath.Argument(this, Destination);
        _relativeBase = RelativeBasePath is null ? null : SessionPath.Argument(this, RelativeBasePath);
        NamePatterns patterns = NameFilter.Create(this, Include, Exclude, ExcludeFrom);
        var options = new CloneOptions
        {
            Reflink = Reflink,
            NoClobber = NoClobber,
            Force = Force,
            Backup = Backup,
            Update = Update,
            Atomic = Atomic,
            PointInTime = PointInTime,
            PerFile = PerFile,
            OneFileSystem = OneFileSystem,
            SingleItem = IsSingleItem,
            Recurse = Recurse,
            Workers = ThrottleLimit,
            Filter = patterns.Filter,
        };
        _session = new CloneSession(
            options.KeepingSharing(),
            new SessionEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfPassedOver,
                OnTick = () => _progress!.Tick(),
            });
        _carried = Reflink == ReflinkMode.Auto ? new CarryProgress(_session.Counters) : null;
        _progress = new WorkProgress(this, "Cloning", Describe);
        if (Snapshot)
        {
            bool recurse = Recurse && MyInvocation.BoundParameters.ContainsKey(nameof(Recurse));
            string why = recurse ? "The snapshot is in it." : "Use -Recurse to make a snapshot of it, too.";
            _snapshots = new SnapshotClone(_session, new() { Recurse = recurse, ReadOnly = ReadOnly }, nested => WriteWarning(
                $"The snapshot leaves the nested subvolume '{PathText.Printable(nested)}' empty. {why}"));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        var given = CloneSource.Of(item.FullName, item.Text ?? item.FullName);
        string source = given.Path;
        if (_session!.Covers(source))
        {
            WriteVerbose($"'{PathText.Printable(source)}' is part of what came before it.");
            return;
        }

        _destination ??= ChooseDestination(item);
        CloneDestination destination = _destination.For(given);
        if (!item.IsNamed && !_session.Takes(source, destination))
        {
            WriteVerbose($"'{PathText.Printable(source)}' is left out.");
            return;
        }

        if (!ShouldClone(source, destination))
        {
            _session.PassOver(source);
            return;
        }

        _progress!.Item = source;
        if (_carried?.Add(source, destination, Cancellation) is { } shortage)
        {
            WriteWarning(shortage);
        }

        CloneResult result = _snapshots?.Clone(source, destination, Cancellation)
            ?? _session!.Clone(source, destination, Cancellation);
        if (PassThru && Atomic)
        {
            _results.Add(result);
        }
        else if (PassThru)
        {
            WriteResult(result);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Attempt(() =>
        {
            _session!.Complete(HasFailed, Cancellation);
            WriteResult(_results, enumerateCollection: true);
        });
        _progress!.Complete();
        foreach (string warning in _session!.Warnings)
        {
            WriteWarning(warning);
        }

        if (_snapshots is { Count: > 1 })
        {
            string spread = string.Create(CultureInfo.CurrentCulture, $"{_snapshots.Spread.TotalMilliseconds:N0}");
            WriteVerbose($"{_snapshots.Count} snapshots, {spread} ms from the first to the last.");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session?.Dispose();
        }

        base.Dispose(disposing);
    }

    private string Describe(TimeSpan elapsed)
    {
        (_progress!.Fraction, _progress.TimeLeft) = (_carried?.Fraction, _carried?.TimeLeft);
        long files = _session!.Counters.Files;
        return _carried?.Describe() ?? string.Create(
            CultureInfo.CurrentCulture,
            $"{files:N0} files, {_session.Counters.Length / 1e6:N1} MB, {files / elapsed.TotalSeconds:N0} files/s");
    }

    private void RefuseBesideSnapshot()
    {
        string[] others =
        [
            nameof(Include), nameof(Exclude), nameof(ExcludeFrom), nameof(RelativeBasePath), nameof(Force), nameof(Backup),
            nameof(Update), nameof(Atomic), nameof(PointInTime),
        ];
        string? other = Reflink == ReflinkMode.Auto
            ? $"{nameof(Reflink)} {nameof(ReflinkMode.Auto)}"
            : others.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey);
        if (Snapshot && other is not null)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(Snapshot), other));
        }

        if (PerFile && !PointInTime)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(PerFile), nameof(PointInTime)));
        }

        if (ReadOnly && !Snapshot)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(ReadOnly), nameof(Snapshot)));
        }
    }

    private void RefuseBesideAtomic()
    {
        string[] others = [nameof(Backup), nameof(Update)];
        if (Atomic && others.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is { } other)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(Atomic), other));
        }
    }

    private void RefuseBesideNoTargetDirectory()
    {
        if (NoTargetDirectory && RelativeBasePath is not null)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(NoTargetDirectory), nameof(RelativeBasePath)));
        }

        if (NoTargetDirectory && !IsSingleItem)
        {
            ThrowTerminatingError(ErrorRecords.OneItemOnly(nameof(NoTargetDirectory)));
        }
    }

    /// <summary>Whether there is one item only, as far as the arguments tell.</summary>
    private bool IsSingleItem => !MyInvocation.ExpectingInput &&
        (LiteralPath is [_] || (Path is [var path] && !WildcardPattern.ContainsWildcardCharacters(path)));

    private bool ShouldClone(string source, CloneDestination destination)
    {
        string operation = Snapshot ? "Take Snapshot" : "Clone";
        string target = PathText.Printable($"Item: {source} Destination: {destination.TargetOf(source)}");
        string action = $"Performing the operation \"{operation}\" on target \"{target}\".";
        return ShouldProcess(action, $"Are you sure you want to perform this action?\n{action}", "Confirm");
    }

    /// <summary>One item that was named outright may get a new name; all else goes into a directory.</summary>
    private CloneDestination ChooseDestination(ItemPath first)
    {
        bool single = first.IsNamed && Path.Length + LiteralPath.Length == 1 && _relativeBase is null;
        string end = System.IO.Path.EndsInDirectorySeparator(Destination) ? "/" : "";
        return single && NoTargetDirectory ? CloneDestination.Exactly(_destinationPath + end)
            : single ? CloneDestination.Named(_destinationPath + end)
            : CloneDestination.Into(_destinationPath, _relativeBase);
    }
}
