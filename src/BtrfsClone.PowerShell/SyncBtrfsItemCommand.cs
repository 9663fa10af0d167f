using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Syncing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Sync-BtrfsItem</c>: makes a file or a tree equal to its source by what differs alone, by sharing extents. What is
/// equal is not touched.
/// </summary>
[Cmdlet(
    VerbsData.Sync,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Sync-BtrfsItem.html")]
[OutputType(typeof(SyncResult), typeof(SyncChange))]
public sealed class SyncBtrfsItemCommand : DestinationCmdlet
{
    private SyncSession? _session;
    private WorkProgress? _progress;

    /// <summary>
    /// Removes what the source has not, after everything else, and never below a directory whose source could not be read
    /// whole. Without it nothing is removed, and an entry of another type is an error.
    /// </summary>
    [Parameter]
    public SwitchParameter Delete { get; set; }

    /// <summary>Takes only those files whose names match one of these wildcards; all else is left alone on both sides.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Leaves out what matches one of these wildcards: it is neither cloned nor removed.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>
    /// Leaves out what the rules of these files leave out, which are those of .gitignore, relative to each item. Taken as they
    /// are, without wildcards.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string[]? ExcludeFrom { get; set; }

    /// <summary>
    /// When a file is taken for equal: when its data lie in the same places, or when size and modification time are the same.
    /// </summary>
    [Parameter]
    public SyncCheck Check { get; set; }

    /// <summary>
    /// Changes files where they are, so that whoever has one open goes on with it. By default a file is replaced in one step.
    /// </summary>
    [Parameter]
    public SwitchParameter InPlace { get; set; }

    /// <summary>What to do with data that cannot be shared: an error, or a copy in the kernel.</summary>
    [Parameter]
    public ReflinkMode Reflink { get; set; }

    /// <summary>Reads the source as it stood at one moment, from a temporary read-only snapshot of its subvolume.</summary>
    [Parameter]
    public SwitchParameter PointInTime { get; set; }

    /// <summary>
    /// With <c>-PointInTime</c>: where no snapshot may be taken or removed, reads the source as it is, and warns: each file is of
    /// a moment of its own.
    /// </summary>
    [Parameter]
    public SwitchParameter PerFile { get; set; }

    /// <summary>
    /// Leaves out other filesystems that are mounted below the given directories. Nested subvolumes belong to the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>How many threads work; the number of processors unless given.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ThreadCountCompleter))]
    [ValidateRange(1, CloneOptions.MaxWorkers)]
    public int ThrottleLimit { get; set; }

    /// <summary>Writes a <see cref="SyncChange"/> for each name that is created, replaced, patched, updated or deleted, too.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <summary>Writes the destination's result as an object: the default. It is there to be given as elsewhere.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (PerFile && !PointInTime)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(PerFile), nameof(PointInTime)));
        }

        base.BeginProcessing();
        NamePatterns patterns = NameFilter.Create(this, Include, Exclude, ExcludeFrom);
        var options = new SyncOptions
        {
            Delete = Delete,
            Check = Check,
            InPlace = InPlace,
            Reflink = Reflink,
            PointInTime = PointInTime,
            PerFile = PerFile,
            OneFileSystem = OneFileSystem,
            DryRun = IsWhatIf,
            Workers = ThrottleLimit,
            Filter = patterns.Filter,
            FilterText = patterns.Text,
        };
        _session = new SyncSession(
            options,
            new SyncEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnChange = IsWhatIf || Detailed ? Take : null,
                OnTick = () => Tick(_session!.Counters),
            });
        _progress = new WorkProgress(this, IsWhatIf ? "Comparing" : "Synchronizing", Describe);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!TryResolve(out string path, out string destination))
        {
            return;
        }

        string target = PathText.Printable($"Item: {path} Destination: {destination}");
        if (!IsWhatIf && !ShouldProcess(target, "Synchronize"))
        {
            return;
        }

        _progress!.Item = path;
        Attempt(() =>
        {
            SyncResult result = _session!.Sync(path, destination, Cancellation);
            WriteVerbose($"'{PathText.Printable(result.Path)}': {(result.Unchanged is null
                ? "looked only at what has changed since the last time, and Unchanged is empty"
                : "looked at every entry of both sides")}.");
            if (!IsWhatIf)
            {
                WriteObject(result);
            }

            foreach (string warning in _session.Warnings)
            {
                WriteWarning(warning);
            }
        });
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => _progress!.Complete();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Tick(SyncCounters counters)
    {
        _progress!.Fraction = counters.Share;
        _progress.Tick();
    }

    private void Take(SyncChange change)
    {
        if (IsWhatIf)
        {
            ShouldProcess(PathText.Printable(change.Path), change.Action.ToString());
        }
        else
        {
            WriteObject(change);
        }
    }

    private string Describe(TimeSpan elapsed)
    {
        SyncCounters counters = _session!.Counters;
        return string.Create(
            CultureInfo.CurrentCulture,
            $"{counters.Entries:N0} entries, {counters.Entries - counters[SyncAction.Keep]:N0} changed") +
            string.Create(CultureInfo.CurrentCulture, $", {counters.SharedLength / 1e6:N1} MB shared");
    }
}
