using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Sending;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Export-BtrfsItem</c>: writes directories to a file as a stream that <c>btrfs receive</c> makes subvolumes of, with what they
/// share.
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
    /// The file that the stream is written to, taken as it is, without wildcards. It gets its name when the stream is whole.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string FilePath { get; set; } = "";

    /// <summary>
    /// The version of the stream: 2, the default, keeps what is compressed and what is preallocated, and needs btrfs-progs 6.0 at
    /// the receiver; 1 is for older ones.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ProtocolCompleter))]
    [ValidateRange(1, SendOptions.NewestProtocol)]
    public int Protocol { get; set; } = SendOptions.NewestProtocol;

    /// <summary>
    /// Leaves out other filesystems that are mounted below the given directories. Nested subvolumes belong to the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>Leaves a file that exists, which is an error.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Replaces a file that has no write permission, too.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes an object for each directory, once the file is there.</summary>
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

    /// <summary>Makes the file. Without it nothing can be done for any item.</summary>
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
