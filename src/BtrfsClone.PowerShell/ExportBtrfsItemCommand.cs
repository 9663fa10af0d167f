using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Sending;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Export-BtrfsItem</c>: writes directories to a file as a stream from which <c>btrfs receive</c> creates subvolumes, preserving
/// sharing.
/// </summary>
[Cmdlet(
    VerbsData.Export,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Export-BtrfsItem.html")]
[OutputType(typeof(SendResult))]
public sealed class ExportBtrfsItemCommand : BtrfsCmdlet
{
    private readonly List<SendResult> _results = [];
    private SendFileStream? _file;
    private SendSession? _session;
    private WorkProgress? _progress;
    private string _path = "";

    /// <summary>
    /// The file for the stream. The path is used literally, without wildcards. The file gets its name when the stream is complete.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string FilePath { get; set; } = "";

    /// <summary>
    /// The version of the stream: 2, the default, preserves compressed data and preallocated space, and requires btrfs-progs 6.0 at
    /// the receiver; 1 is for older ones.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ProtocolCompleter))]
    [ValidateRange(1, SendOptions.NewestProtocol)]
    public int Protocol { get; set; } = SendOptions.NewestProtocol;

    /// <summary>
    /// Skips other filesystems that are mounted below the given directories. Nested subvolumes count as part of the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>Keeps an existing file, which is an error.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Also replaces a file without write permission.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes an object for each directory, once the file exists.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _path = SessionPath.Argument(this, FilePath);
        _progress = new WorkProgress(this, "Exporting", Describe);
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        string target = PathText.Printable($"Item: {item.FullName} File: {_path}");
        if (_session is { CanGoOn: false } || !ShouldProcess(target, "Export"))
        {
            return;
        }

        _progress!.Item = item.FullName;
        _session ??= Begin();
        try
        {
            _results.Add(_session.Send(item.Target, Cancellation));
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotADirectory && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "not a directory");
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_session is null)
        {
            _progress!.Complete();
            return;
        }

        Attempt(() =>
        {
            _session.Complete();
            _progress!.Complete();
            if (!_session.CanGoOn || _file!.Length == 0)
            {
                return;
            }

            _file.Publish();
            foreach (MetadataLoss loss in _session.Losses)
            {
                WriteWarning(loss.Description);
            }

            if (PassThru)
            {
                WriteResult(_results, enumerateCollection: true);
            }
        });
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session?.Dispose();
            _file?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Creates the file. Without it no item can be processed.</summary>
    private SendSession Begin()
    {
        try
        {
            _file = SendFileStream.Create(_path, NoClobber, Force);
        }
        catch (BtrfsException failure)
        {
            ThrowTerminatingError(ErrorRecords.From(failure));
        }

        CleanUpWhenProcessEnds();
        return new SendSession(
            new SendOptions { Protocol = Protocol, OneFileSystem = OneFileSystem },
            new SessionEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnTick = () => _progress!.Tick(),
            },
            _file!);
    }

    private string Describe(TimeSpan elapsed)
    {
        SendCounters counters = _session!.Counters;
        return string.Create(
            CultureInfo.CurrentCulture, $"{counters.Files:N0} files, {counters.StreamLength / 1e6:N1} MB");
    }
}
