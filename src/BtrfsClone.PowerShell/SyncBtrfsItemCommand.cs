using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Syncing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Sync-BtrfsItem</c>: makes a file or a tree equal to its source by updating only what differs, by sharing extents. Equal
/// entries are not changed.
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
    /// Removes entries that the source does not have, after everything else, and never below a directory whose source could not be
    /// read completely. Without it nothing is removed, and an entry of another type is an error.
    /// </summary>
    [Parameter]
    public SwitchParameter Delete { get; set; }

    /// <summary>Includes only files whose names match one of these wildcards; all others are left alone on both sides.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Excludes entries that match one of these wildcards: they are neither cloned nor removed.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>
    /// Excludes entries by the rules of these files, in the format of .gitignore, relative to each item. The paths are used
    /// literally, without wildcards.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string[]? ExcludeFrom { get; set; }

    /// <summary>
    /// When a file is considered equal: if its data has the same disk addresses, or if size and modification time are equal.
    /// </summary>
    [Parameter]
    public SyncCheck Check { get; set; }

    /// <summary>
    /// Changes files in place, so that processes that have one open see the changes. By default a file is replaced atomically.
    /// </summary>
    [Parameter]
    public SwitchParameter InPlace { get; set; }

    /// <summary>What to do with data that cannot be shared: report an error, or copy it in the kernel.</summary>
    [Parameter]
    public ReflinkMode Reflink { get; set; }

    /// <summary>Reads the source as it was at one point in time, from a temporary read-only snapshot of its subvolume.</summary>
    [Parameter]
    public SwitchParameter PointInTime { get; set; }

    /// <summary>
    /// With <c>-PointInTime</c>: if no snapshot may be created or removed, reads the source directly, and warns: each file then has
    /// its own point in time.
    /// </summary>
    [Parameter]
    public SwitchParameter PerFile { get; set; }

    /// <summary>
    /// Skips other filesystems that are mounted below the given directories. Nested subvolumes count as part of the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>The number of threads; by default the number of processors.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ThreadCountCompleter))]
    [ValidateRange(1, CloneOptions.MaxWorkers)]
    public int ThrottleLimit { get; set; }

    /// <summary>Also writes a <see cref="SyncChange"/> for each entry that is created, replaced, patched, updated or deleted.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <summary>
    /// Writes the destination's result as an object: this is the default. The parameter exists for consistency with other cmdlets.
    /// </summary>
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
