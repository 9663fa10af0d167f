using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Carrying;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary><c>Copy-BtrfsItem</c>: clones files and directory trees by sharing their extents, with all their metadata.</summary>
[Cmdlet(
    VerbsCommon.Copy,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Copy-BtrfsItem.html")]
[OutputType(typeof(CloneResult))]
public sealed partial class CopyBtrfsItemCommand : FilteringCmdlet
{
    // With -Atomic nothing exists before the end, so nothing is written before.
    private readonly List<CloneResult> _results = [];

    private CloneSession? _session;
    private SnapshotClone? _snapshots;
    private CarryProgress? _carried;
    private WorkProgress? _progress;

    /// <inheritdoc/>
    protected override bool TakesHidden => Force;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        CleanUpWhenProcessEnds();
        RefuseBesideNoRecurse();
        RefuseAlone();
        RefuseBesideAtomic();
        RefuseBesideLinks();
        RefuseBesideStorage();
        if (Compression is not null && !CompressionProperty.IsValid(Compression))
        {
            ThrowTerminatingError(ErrorRecords.InvalidCompression(Compression));
        }

        if (IsFalse(nameof(Container), Container))
        {
            ThrowTerminatingError(ErrorRecords.NoContainer());
        }

        BeginDestinations();
        NamePatterns patterns = ReadPatterns();
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
            NoCow = NoCow,
            InheritProperty = InheritProperty,
            Compression = Compression,
            Links = FollowSymlink ? LinkMode.FollowAll : FollowNamedSymlink ? LinkMode.FollowNamed : LinkMode.Keep,
            SingleItem = IsSingleItem,
            Recurse = !NoRecurse && !IsFalse(nameof(Recurse), Recurse),
            Workers = ThrottleLimit,
            Filter = patterns.Filter,
        };
        _session = new CloneSession(
            options.KeepingSharing(),
            new SessionEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnTick = () => _progress!.Tick(),
            });
        _carried = Reflink == ReflinkMode.Auto ? new CarryProgress(_session.Counters) : null;
        _progress = new WorkProgress(this, "Cloning", Describe);
        if (Snapshot)
        {
            string why = Recurse ? "The snapshot is in it." : "Use -Recurse to make a snapshot of it, too.";
            _snapshots = new SnapshotClone(_session, new() { Recurse = Recurse, ReadOnly = ReadOnly }, nested => WriteWarning(
                $"The snapshot leaves the nested subvolume '{PathText.Printable(nested)}' empty. {why}"));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        var given = CloneSource.Of(item.FullName, item.Text ?? item.FullName);
        string source = given.Path;
        if (FindDestination(item, source)?.For(given) is not { } destination)
        {
            return;
        }

        if (!item.IsNamed && !_session!.Takes(source, destination))
        {
            WriteVerbose($"'{PathText.Printable(source)}' is left out.");
            return;
        }

        if (!ShouldClone(source, destination))
        {
            _session!.PassOver(source, destination);
            return;
        }

        _progress!.Item = source;
        if (_carried?.Add(source, destination, Cancellation) is { } shortage)
        {
            WriteWarning(shortage);
        }

        CloneResult result = _snapshots?.Clone(source, destination, Cancellation)
            ?? _session!.Clone(source, destination, Cancellation);
        Remember(result);
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

    private bool IsFalse(string name, SwitchParameter value) => !value && MyInvocation.BoundParameters.ContainsKey(name);

    private void RefuseBesideNoRecurse()
    {
        if (NoRecurse && Recurse)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(NoRecurse), nameof(Recurse)));
        }
    }

    private void RefuseAlone()
    {
        if (PerFile && !PointInTime)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(PerFile), nameof(PointInTime)));
        }

        if (ReadOnly && !Snapshot)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(ReadOnly), nameof(Snapshot)));
        }
    }

    private void RefuseBesideLinks()
    {
        string? follow = FollowSymlink ? nameof(FollowSymlink) : FollowNamedSymlink ? nameof(FollowNamedSymlink) : null;
        string? other = PointInTime ? nameof(PointInTime) : FollowSymlink && FollowNamedSymlink ? nameof(FollowNamedSymlink) : null;
        if (follow is not null && other is not null)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(follow, other));
        }
    }

    private void RefuseBesideStorage()
    {
        string[] given =
        [
            .. new[] { nameof(NoCow), nameof(InheritProperty), nameof(Compression) }.Where(MyInvocation.BoundParameters.ContainsKey),
        ];
        if (given.Length > 1)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(given[0], given[1]));
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

    private bool ShouldClone(string source, CloneDestination destination)
    {
        string operation = Snapshot ? "Take Snapshot" : "Clone";
        string target = PathText.Printable($"Item: {source} Destination: {destination.TargetOf(source)}");
        string action = $"Performing the operation \"{operation}\" on target \"{target}\".";
        return ShouldProcess(action, $"Are you sure you want to perform this action?\n{action}", "Confirm");
    }
}
