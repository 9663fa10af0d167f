using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Finding;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Find-BtrfsDuplicate</c>: data that is stored more than once, in any files and at any offset; one object for each
/// group of places that hold the same, the largest gain first.
/// </summary>
[Cmdlet(VerbsCommon.Find, "BtrfsDuplicate", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Find-BtrfsDuplicate.html")]
[OutputType(typeof(BtrfsDuplicate))]
public sealed class FindBtrfsDuplicateCommand : FilteringCmdlet
{
    private readonly List<string> _paths = [];
    private readonly HashSet<string> _notNamed = [];
    private FindSession? _session;
    private WorkProgress? _progress;
    private EntryFilter? _filter;
    private int _skipped;

    /// <summary>Bytes that data has at least; a range has at least one block in any case.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long MinimumLength { get; set; } = 1;

    /// <summary>Compares whole files only.</summary>
    [Parameter]
    public SwitchParameter FileOnly { get; set; }

    /// <summary>
    /// What says that data is the same: btrfs's checksums, which needs CAP_SYS_ADMIN; the content, which is read; or, the
    /// default, checksums where they may be read, and content where there are none.
    /// </summary>
    [Parameter]
    public DuplicateSource Source { get; set; }

    /// <summary>
    /// Does not warn of other filesystems that are mounted below directories. They are left out in any case; nested subvolumes belong
    /// to the filesystem.
    /// </summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        DuplicateDepth.Register(this);
        _filter = ReadPatterns().Filter;
        _session = new FindSession(
            new FindOptions { MinimumLength = MinimumLength, FileOnly = FileOnly, Source = Source, Filter = _filter },
            new SessionEvents { OnFailure = WriteItemFailure, OnPassedOver = WarnOfMounts(OneFileSystem), OnTick = Tick });
        _progress = new WorkProgress(this, "Searching", _ => Describe(_session.Progress));
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        if (!item.IsNamed)
        {
            EntryKind kind = Directory.Exists(item.FullName) ? EntryKind.Directory : EntryKind.File;
            if (_filter is not null && !_filter(PathInDirectory(item.FullName), kind))
            {
                _skipped++;
                return;
            }

            _notNamed.Add(item.FullName);
        }

        _paths.Add(item.Target);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Attempt(() =>
        {
            foreach (BtrfsDuplicate group in _session!.Find(_paths, Cancellation))
            {
                WriteObject(group);
            }
        });
        _progress!.Complete();
        WriteVerbose($"{_session!.Progress.Files} files were searched; {_skipped} items were left out by their names.");

        if (_session!.Progress.Stale > 0)
        {
            WriteWarning($"{_session.Progress.Stale} groups were left out: their files have changed meanwhile.");
        }
    }

    /// <summary>An item that nobody has named is an entry of its directory.</summary>
    private static string[] PathInDirectory(string item) =>
        [System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(item)) ?? "", System.IO.Path.GetFileName(item)];

    private void WriteItemFailure(BtrfsException failure)
    {
        if (failure.Error == BtrfsError.NotRegularFile && _notNamed.Contains(failure.Path))
        {
            TellPassedOver(failure.Path, "neither a regular file nor a directory");
            return;
        }

        WriteFailure(failure);
    }

    private void Tick()
    {
        _progress!.Fraction = _session!.Progress.Fraction;
        _progress.TimeLeft = _session.Progress.TimeLeft;
        _progress.Tick();
    }

    private static string Describe(FindProgress progress) => string.Create(
        CultureInfo.CurrentCulture,
        $"{progress.Files:N0} files{(progress.Phase switch
        {
            FindPhase.Comparing => ", comparing",
            FindPhase.Writing => $", {progress.Groups:N0} groups",
            _ => "",
        })}");
}
