using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Measuring;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Measure-BtrfsItem</c>: what files and trees take on disk, how much of it they share, and how well it is
/// compressed; one object for each item.
/// </summary>
[Cmdlet(VerbsDiagnostic.Measure, "BtrfsItem", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Uri)]
[OutputType(typeof(MeasureResult))]
public sealed class MeasureBtrfsItemCommand : BtrfsCmdlet
{
    private MeasureSession? _session;
    private WorkProgress? _progress;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _session = new MeasureSession(WriteFailure, () => _progress!.Tick());
        _progress = new WorkProgress(
            this, "Measuring", _ => string.Create(CultureInfo.CurrentCulture, $"{_session.Files:N0} files"));
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        _progress!.Item = item.FullName;
        try
        {
            WriteObject(_session!.Measure(item.FullName, Cancellation));
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && !item.IsNamed)
        {
            WriteVerbose($"'{PathText.Printable(item.FullName)}' is neither a regular file nor a directory.");
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
