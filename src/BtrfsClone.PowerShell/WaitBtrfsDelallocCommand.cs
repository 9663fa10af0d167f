using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Delalloc;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Wait-BtrfsDelalloc</c>: waits until files, or all files below directories, have no delayed data and no data under writeback.
/// </summary>
[Cmdlet(VerbsLifecycle.Wait, "BtrfsDelalloc", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Wait-BtrfsDelalloc.html")]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class WaitBtrfsDelallocCommand : BtrfsCmdlet
{
    private DelallocSession? _session;
    private WorkProgress? _progress;

    /// <summary>
    /// The timeout for each item in seconds, starting when it is reached; by default there is none. An item that exceeds it is an
    /// error, and is not written with <c>-PassThru</c>.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(SecondsCompleter))]
    [ValidateRange(1, int.MaxValue)]
    public int Timeout { get; set; }

    /// <summary>Only waits until the kernel or another process writes dirty data to disk.</summary>
    [Parameter]
    public SwitchParameter NoFlush { get; set; }

    /// <summary>Skips other filesystems that are mounted below directories. Nested subvolumes count as part of the filesystem.</summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>Writes each item as soon as it and those before it are quiet: the same object that was passed in, if any.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        var options = new DelallocOptions
        {
            Timeout = Timeout == 0 ? null : TimeSpan.FromSeconds(Timeout),
            Flush = !NoFlush,
            OneFileSystem = OneFileSystem,
        };
        _session = new DelallocSession(
            options,
            new DelallocEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnQuiet = Pass,
                OnTick = () => _progress!.Tick(),
            });
        _progress = new WorkProgress(
            this, "Waiting for delayed data", _ => string.Create(CultureInfo.CurrentCulture, $"{_session.Files:N0} files"));
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        _progress!.Item = item.FullName;
        _session!.Add(item.Target, Cancellation, item, passOver: !item.IsNamed);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Attempt(() => _session!.Complete(Cancellation));
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

    private void Pass(DelallocItem waited)
    {
        if (!waited.PassedOver)
        {
            WriteVerbose(Describe(waited));
        }
        else
        {
            TellPassedOver(waited.Path, "neither a regular file nor a directory");
        }

        if (!PassThru)
        {
            return;
        }

        if (((ItemPath)waited.Tag!).Given is FileSystemInfo given)
        {
            WriteObject(given);
            return;
        }

        try
        {
            WriteObject(InvokeProvider.Item.Get([waited.Path], force: true, literalPath: true), enumerateCollection: true);
        }
        catch (ItemNotFoundException)
        {
            // It was removed after its data had been written to disk.
            WriteFailure(new BtrfsException(BtrfsError.SourceNotFound, waited.Path));
        }
    }

    private static string Describe(DelallocItem waited)
    {
        string passes = waited.Passes > 1 ? $", in {waited.Passes} passes, since something was written meanwhile" : "";
        return waited.BusyFiles == 0
            ? $"'{PathText.Printable(waited.Path)}' is quiet: nothing was delayed or in flight{passes}."
            : string.Create(
                CultureInfo.CurrentCulture,
                $"'{PathText.Printable(waited.Path)}' is quiet: {waited.BusyFiles:N0} with delayed data or data in flight, " +
                $"looked at up to {waited.Rounds} times{passes}.");
    }
}
