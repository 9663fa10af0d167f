using System.Globalization;
using System.Management.Automation;
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
public sealed class CopyBtrfsItemCommand : BtrfsCmdlet
{
    // With -Atomic nothing is there before the end, and so nothing is written before.
    private readonly List<CloneResult> _results = [];

    private CloneSession? _session;
    private SnapshotClone? _snapshots;
    private WorkProgress? _progress;
    private CloneDestination? _destination;
    private string _destinationPath = "";
    private string? _relativeBase;

    /// <summary>
    /// An existing directory, which receives each item under its own name, or the new name of a single item. Several
    /// items, wildcards and pipeline input make it a directory. It is taken as it is, without wildcards. A name with a
    /// slash at its end is a directory's.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Keeps each item's path relative to this directory below the destination. Taken as it is.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(LiteralDirectoryCompleter))]
    [ValidateNotNullOrEmpty]
    public string? RelativeBasePath { get; set; }

    /// <summary>Takes only those files below the given items whose names match one of these wildcards.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Include { get; set; }

    /// <summary>Leaves out what matches one of these wildcards below the given items; such a directory is not entered.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(NamePatternCompleter))]
    [SupportsWildcards]
    public string[]? Exclude { get; set; }

    /// <summary>What to do with data that cannot be shared: an error, or a copy in the kernel.</summary>
    [Parameter]
    public ReflinkMode Reflink { get; set; }

    /// <summary>Leaves existing files at the destination as they are, and reports them.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Replaces existing files that have no write permission bit.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Lets all items appear at the end, each name in one step with everything below it, or none of them. A directory
    /// that exists under an item's name is an error, and an existing file is replaced.
    /// </summary>
    [Parameter]
    public SwitchParameter Atomic { get; set; }

    /// <summary>
    /// Clones the items as they stood at one moment, from a temporary read-only snapshot of their subvolume; the moment
    /// is when the first item of a subvolume is reached. The clones hold what a crash at that moment would have left;
    /// whatever a program had fsynced before it wrote something else is there whenever that is (unsynced writes may be
    /// missing, as after a crash). Each nested subvolume is a moment of its own. Needs root, or ownership of the
    /// subvolume's root directory on a filesystem mounted with user_subvol_rm_allowed.
    /// </summary>
    [Parameter]
    public SwitchParameter PointInTime { get; set; }

    /// <summary>
    /// Makes of each item, which has to be a subvolume's root, a writable snapshot at the destination: in milliseconds at
    /// any size. Nested subvolumes, which a snapshot leaves empty, are named in warnings. Nothing that exists is
    /// replaced. Needs root or ownership of the subvolume's root directory.
    /// </summary>
    [Parameter]
    public SwitchParameter Snapshot { get; set; }

    /// <summary>
    /// Clones what is below a directory; the default. <c>-Recurse:$false</c> clones directories only themselves. Given
    /// with <c>-Snapshot</c>, it clones also nested subvolumes, as directories.
    /// </summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; } = true;

    /// <summary>How many threads work on a tree; the number of processors unless given.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ThreadCountCompleter))]
    [ValidateRange(1, 1024)]
    public int ThrottleLimit { get; set; }

    /// <summary>Writes a <see cref="CloneResult"/> for each item.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        RefuseBesideSnapshot();
        _destinationPath = SessionPath.Argument(this, Destination);
        _relativeBase = RelativeBasePath is null ? null : SessionPath.Argument(this, RelativeBasePath);
        var options = new CloneOptions
        {
            Reflink = Reflink,
            NoClobber = NoClobber,
            Force = Force,
            Atomic = Atomic,
            PointInTime = PointInTime,
            SingleItem = IsSingleItem,
            Recurse = Recurse,
            Workers = ThrottleLimit,
            Filter = NameFilter.Create(Include, Exclude),
        };
        _session = new CloneSession(options, WriteFailure, () => _progress!.Tick());
        _progress = new WorkProgress(this, "Cloning", Describe);
        if (Snapshot)
        {
            bool recurse = Recurse && MyInvocation.BoundParameters.ContainsKey(nameof(Recurse));
            _snapshots = new SnapshotClone(_session, recurse, nested => WriteWarning(
                $"The snapshot leaves the nested subvolume '{PathText.Printable(nested)}' empty. Use -Recurse to clone it."));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        string source = item.FullName;
        if (_session!.Covers(source))
        {
            WriteVerbose($"'{PathText.Printable(source)}' is part of a directory that came before it.");
            return;
        }

        _destination ??= ChooseDestination(item);
        if (!ShouldClone(source))
        {
            _session.PassOver(source);
            return;
        }

        _progress!.Item = source;
        CloneResult result = _snapshots?.Clone(source, _destination, Cancellation)
            ?? _session!.Clone(source, _destination, Cancellation);
        if (PassThru && Atomic)
        {
            _results.Add(result);
        }
        else if (PassThru)
        {
            WriteObject(result);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Attempt(() =>
        {
            _session!.Complete(HasFailed);
            WriteObject(_results, enumerateCollection: true);
        });
        _progress!.Complete();
        long copied = _session!.Counters.CopiedLength;
        if (copied > 0)
        {
            WriteWarning($"{copied} bytes could not be shared and were copied.");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _snapshots?.Dispose();
            _session?.Dispose();
        }

        base.Dispose(disposing);
    }

    private string Describe(TimeSpan elapsed)
    {
        long files = _session!.Counters.Files;
        return string.Create(
            CultureInfo.CurrentCulture,
            $"{files:N0} files, {_session.Counters.Length / 1e6:N1} MB, {files / elapsed.TotalSeconds:N0} files/s");
    }

    private void RefuseBesideSnapshot()
    {
        string[] others =
            [nameof(Include), nameof(Exclude), nameof(RelativeBasePath), nameof(Force), nameof(Atomic), nameof(PointInTime)];
        string? other = Reflink == ReflinkMode.Auto
            ? $"{nameof(Reflink)} {nameof(ReflinkMode.Auto)}"
            : others.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey);
        if (Snapshot && other is not null)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(Snapshot), other));
        }
    }

    /// <summary>Whether there is one item only, as far as the arguments tell.</summary>
    private bool IsSingleItem => !MyInvocation.ExpectingInput &&
        (LiteralPath is [_] || (Path is [var path] && !WildcardPattern.ContainsWildcardCharacters(path)));

    private bool ShouldClone(string source)
    {
        string operation = Snapshot ? "Take Snapshot" : "Clone";
        string target = PathText.Printable($"Item: {source} Destination: {_destination!.TargetOf(source)}");
        string action = $"Performing the operation \"{operation}\" on target \"{target}\".";
        return ShouldProcess(action, $"Are you sure you want to perform this action?\n{action}", "Confirm");
    }

    /// <summary>One item that was named outright may get a new name; all else goes into a directory.</summary>
    private CloneDestination ChooseDestination(ItemPath first)
    {
        bool single = first.IsNamed && Path.Length + LiteralPath.Length == 1 && _relativeBase is null;
        string end = System.IO.Path.EndsInDirectorySeparator(Destination) ? "/" : "";
        return single
            ? CloneDestination.Named(_destinationPath + end)
            : CloneDestination.Into(_destinationPath, _relativeBase);
    }
}
