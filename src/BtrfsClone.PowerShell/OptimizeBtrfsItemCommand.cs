using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Optimizing;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Optimize-BtrfsItem</c>: frees the unreachable parts of extents, joins small extents, and preserves sharing between clones;
/// one object for each item.
/// </summary>
[Cmdlet(
    VerbsCommon.Optimize,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Optimize-BtrfsItem.html")]
[OutputType(typeof(OptimizeResult))]
public sealed class OptimizeBtrfsItemCommand : BtrfsCmdlet
{
    private OptimizeSession? _session;
    private WorkProgress? _progress;

    /// <summary>
    /// The minimum number of bytes that replacing an extent has to free; by default, one hundredth of what is written for it.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long MinimumGain { get; set; }

    /// <summary>Extents with fewer bytes in use are joined if all files use them consecutively; 0 disables joining.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(0, long.MaxValue)]
    public long TargetExtentSize { get; set; } = OptimizeOptions.DefaultTargetExtentSize;

    /// <summary>The maximum number of bytes read per second, and of bytes written per second.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long MaximumRate { get; set; }

    /// <summary>
    /// Does not warn about other filesystems that are mounted below directories. They are always skipped; nested subvolumes count
    /// as part of the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        var options = new OptimizeOptions
        {
            Preview = IsWhatIf,
            MinimumGain = MinimumGain == 0 ? null : MinimumGain,
            TargetExtentSize = TargetExtentSize,
            MaximumRate = MaximumRate == 0 ? null : MaximumRate,
        };
        _session = new OptimizeSession(
            options,
            new SessionEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnTick = () => _progress!.Tick(),
            });
        _progress = new WorkProgress(this, IsWhatIf ? "Examining" : "Optimizing", _ => string.Create(
            CultureInfo.CurrentCulture, $"{_session.Files:N0} files, {_session.GainedLength / 1e6:N1} MB"));
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        _progress!.Item = item.FullName;
        string target = PathText.Printable(item.FullName);
        try
        {
            if (IsWhatIf)
            {
                OptimizeResult promised = _session!.Optimize(item.Target, Cancellation);
                ShouldProcess(
                    target,
                    $"Optimize, which replaces {promised.ExtentsReplaced} extent{(promised.ExtentsReplaced == 1 ? "" : "s")} " +
                    $"by {promised.ExtentsWritten} and gives back {promised.GainedLength} bytes");
            }
            else if (ShouldProcess(target, "Optimize"))
            {
                OptimizeResult result = _session!.Optimize(item.Target, Cancellation);
                if (result.LeftLength > 0)
                {
                    WriteVerbose(
                        $"'{target}': {result.LeftLength} bytes stay, since something refers to their extents that does not move.");
                }

                WriteObject(result);
            }
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "neither a regular file nor a directory");
        }
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
}
