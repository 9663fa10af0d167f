using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Reporting;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Export-BtrfsReport</c>: one HTML page that shows what directories take on disk, what they share, and what deleting them
/// would give back.
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
    /// <para type="description">The directories, with wildcards; the current location unless given. As in PowerShell's own cmdlets,
    /// a wildcard passes over names that begin with a dot.</para>
    /// </summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public override string[] Path { get; set; } = [];

    /// <summary>The file to write, whose directory has to exist. Taken as it is, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [Alias("Output", "OutFile")]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string FilePath { get; set; } = "";

    /// <summary>Replaces the file if it exists. It keeps its permissions.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Does not warn of other filesystems that are mounted below directories. They are left out in any case; nested subvolumes belong
    /// to the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>Writes an object that says where the page is and what it is about.</summary>
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
