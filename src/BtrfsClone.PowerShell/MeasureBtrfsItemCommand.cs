using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Measuring;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Measure-BtrfsItem</c>: the disk usage of files and trees, how much of it is shared, and how well it is compressed; one object
/// for each item.
/// </summary>
[Cmdlet(VerbsDiagnostic.Measure, "BtrfsItem", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Measure-BtrfsItem.html")]
[OutputType(typeof(MeasureResult))]
public sealed class MeasureBtrfsItemCommand : BtrfsCmdlet
{
    // A separate view with other columns.
    private const string ReclaimableView = "BtrfsClone.Measuring.MeasureResult#Reclaimable";

    private MeasureSession? _session;
    private WorkProgress? _progress;

    /// <summary>
    /// <para type="description">The items, with wildcards; by default the current location. As in PowerShell's own cmdlets, a
    /// wildcard does not match names that begin with a dot.</para>
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public override string[] Path { get; set; } = [];

    /// <summary>
    /// Also computes what would be freed if the item were deleted, and if all items were. Requires CAP_SYS_ADMIN and btrfs. The
    /// objects are written after all items have been measured.
    /// </summary>
    [Parameter]
    public SwitchParameter Reclaimable { get; set; }

    /// <summary>With <see cref="Reclaimable"/>: also computes what would be freed only together with which of the other items.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <summary>
    /// Does not warn about other filesystems that are mounted below directories. They are always skipped; nested subvolumes count
    /// as part of the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Detailed && !Reclaimable)
        {
            ThrowTerminatingError(ErrorRecords.NeedsParameter(nameof(Detailed), nameof(Reclaimable)));
        }

        _session = new MeasureSession(
            new MeasureOptions { Reclaimable = Reclaimable },
            new SessionEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnTick = () => _progress!.Tick(),
            });
        _progress = new WorkProgress(
            this, "Measuring", _ => string.Create(CultureInfo.CurrentCulture, $"{_session.Files:N0} files"));
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        _progress!.Item = item.FullName;
        try
        {
            MeasureResult result = _session!.Measure(item.Target, Cancellation);
            if (result.DiskLength is null)
            {
                WriteVerbose(
                    $"'{PathText.Printable(item.FullName)}': what it takes on disk is empty: only btrfs's trees tell it, " +
                    "which need CAP_SYS_ADMIN.");
            }

            if (!Reclaimable)
            {
                WriteObject(result);
            }
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "neither a regular file nor a directory");
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (Reclaimable)
        {
            Attempt(() =>
            {
                foreach (MeasureResult result in _session!.Reclaim(Detailed, Cancellation))
                {
                    var shown = PSObject.AsPSObject(result);
                    shown.TypeNames.Insert(0, ReclaimableView);
                    WriteObject(shown);
                }
            });
        }

        _progress!.Complete();
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
}
