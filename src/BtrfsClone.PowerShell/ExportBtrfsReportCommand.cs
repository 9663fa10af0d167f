using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Reporting;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Export-BtrfsReport</c>: one HTML page that shows the disk usage of directories, what they share, and what deleting them would
/// free.
/// </summary>
[Cmdlet(
    VerbsData.Export,
    "BtrfsReport",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Export-BtrfsReport.html")]
[OutputType(typeof(ReportResult))]
public sealed class ExportBtrfsReportCommand : BtrfsCmdlet
{
    private ReportSession? _session;
    private WorkProgress? _progress;
    private string _output = "";

    /// <summary>
    /// <para type="description">The directories, with wildcards; by default the current location. As in PowerShell's own cmdlets, a
    /// wildcard does not match names that begin with a dot.</para>
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public override string[] Path { get; set; } = [];

    /// <summary>The file to write, whose directory has to exist. The path is used literally, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Alias("Output", "OutFile")]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string FilePath { get; set; } = "";

    /// <summary>Replaces an existing file. It keeps its permissions.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Does not warn about other filesystems that are mounted below directories. They are always skipped; nested subvolumes count
    /// as part of the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>Writes an object with the path of the page and totals of its contents.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _output = SessionPath.Argument(this, FilePath);
        try
        {
            _session = new ReportSession(
                new ReportOptions { Output = _output, Force = Force },
                new SessionEvents
                {
                    OnFailure = WriteFailure,
                    OnPassedOver = WarnOfMounts(OneFileSystem),
                    OnTick = () => _progress!.Tick(),
                });
        }
        catch (BtrfsException failure)
        {
            ThrowTerminatingError(ErrorRecords.From(failure));
        }

        _progress = new WorkProgress(
            this, "Measuring", _ => string.Create(CultureInfo.CurrentCulture, $"{_session!.Files:N0} files"));
        CleanUpWhenProcessEnds();
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        _progress!.Item = item.FullName;
        try
        {
            _session!.Add(item.Target);
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotADirectory && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "not a directory");
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (ShouldProcess(PathText.Printable(_output), "Write report"))
        {
            Attempt(() =>
            {
                if (_session!.Write(Cancellation) is { } result && PassThru)
                {
                    WriteObject(result);
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
