using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Cloning;
using BtrfsClone.Finding;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Find-BtrfsDuplicate</c>: data that is stored more than once, in any files and at any offset; one object for each group of
/// places with equal data, the largest gain first.
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

    /// <summary>The minimum length of duplicate data in bytes; a range always has at least one block.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long MinimumLength { get; set; } = 1;

    /// <summary>Compares whole files only.</summary>
    [Parameter]
    public SwitchParameter FileOnly { get; set; }

    /// <summary>
    /// How equal data is detected: by btrfs's checksums, which requires CAP_SYS_ADMIN; by content, which is read; or, the default,
    /// by checksums if they may be read, and by content if there are none.
    /// </summary>
    [Parameter]
    public DuplicateSource Source { get; set; }

    /// <summary>
    /// Does not warn about other filesystems that are mounted below directories. They are always skipped; nested subvolumes count
    /// as part of the filesystem.
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

    /// <summary>An item that was not named explicitly is treated as an entry of its directory.</summary>
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
