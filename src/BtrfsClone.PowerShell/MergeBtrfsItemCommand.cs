using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Finding;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Merge-BtrfsItem</c>: makes a file, or all files of a tree by relative path, share the extents of another one where both have
/// equal data. The kernel compares the data; no byte, time or mode changes.
/// </summary>
[Cmdlet(
    VerbsData.Merge,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Merge-BtrfsItem.html")]
[OutputType(typeof(MergeResult))]
public sealed class MergeBtrfsItemCommand : PairCmdlet
{
    private const string DuplicateSet = "Duplicate";

    private MergeSession? _session;
    private DuplicateMerger? _merger;
    private WorkProgress? _progress;

    /// <summary>Output of <c>Find-BtrfsDuplicate</c>: its places share the extents of the first one afterwards.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = DuplicateSet)]
    [ToDuplicate]
    [ArgumentCompleter(typeof(ObjectCompleter))]
    public BtrfsDuplicate? Duplicate { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _session = new MergeSession(
            new MergeOptions { Preview = IsWhatIf, OneFileSystem = OneFileSystem },
            new MergeEvents
            {
                OnResult = Write,
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnGap = WriteGap,
                OnTick = () => _progress!.Tick(),
            });
        _merger = new DuplicateMerger(new SessionEvents { OnFailure = WriteFailure, OnTick = () => _progress!.Tick() });
        _progress = new WorkProgress(this, IsWhatIf ? "Comparing" : "Merging", Describe);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == DuplicateSet)
        {
            Attempt(() => ProcessDuplicate(Duplicate!));
        }
        else
        {
            base.ProcessRecord();
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

    /// <inheritdoc/>
    protected override void ProcessPair(string path)
    {
        _progress!.Item = path;
        string target = PathText.Printable($"Item: {path} Reference: {Reference}");
        if (!IsWhatIf)
        {
            if (ShouldProcess(target, "Merge"))
            {
                _session!.Merge(Reference, path, Cancellation);
            }

            return;
        }

        MergeCounters counters = _session!.Counters;
        (long deduped, long unshared) = (counters.DedupedLength, counters.UnsharedLength);
        _session.Merge(Reference, path, Cancellation);
        ShouldProcess(
            target,
            $"Merge {counters.DedupedLength - deduped} bytes, which frees up to {counters.UnsharedLength - unshared} bytes");
    }

    private void ProcessDuplicate(BtrfsDuplicate group)
    {
        if (group.Places.Count < 2)
        {
            return;
        }

        DuplicatePlace kept = group.Places[0];
        _progress!.Item = kept.Path;
        string target = PathText.Printable(
            $"Places: {group.Places.Count - 1} Reference: {kept.Path} Offset: {kept.Offset} Length: {group.Length}");
        if (ShouldProcess(target, $"Merge, which frees {group.ReclaimableLength} bytes"))
        {
            WriteObject(_merger!.Merge(group, Cancellation), enumerateCollection: true);
        }
    }

    private void Write(MergeResult result)
    {
        if (!IsWhatIf)
        {
            WriteObject(result);
        }
    }

    private void WriteGap(string path, PairGap reason) =>
        WriteVerbose(PathText.Printable(reason switch
        {
            PairGap.OnlyInPath => $"'{path}' has no counterpart below '{Reference}'.",
            PairGap.OnlyInReference => $"'{path}' is only below the reference.",
            _ => $"'{path}' is not of the same kind below '{Reference}'.",
        }));

    private string Describe(TimeSpan elapsed)
    {
        MergeCounters counters = ParameterSetName == DuplicateSet ? _merger!.Counters : _session!.Counters;
        return string.Create(
            CultureInfo.CurrentCulture,
            $"{counters.Files:N0} files, {counters.Length / 1e6:N1} MB, {counters.DedupedLength / 1e6:N1} MB merged");
    }
}
