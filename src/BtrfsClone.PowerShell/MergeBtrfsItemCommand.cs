using System.Globalization;
using System.Management.Automation;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Merge-BtrfsItem</c>: makes a file, or all files of a tree by their relative paths, share the extents of another
/// one where both hold the same bytes. The kernel compares; no byte, no time and no mode changes.
/// </summary>
[Cmdlet(
    VerbsData.Merge,
    "BtrfsItem",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Uri)]
[OutputType(typeof(MergeResult))]
public sealed class MergeBtrfsItemCommand : StoppableCmdlet
{
    private MergeSession? _session;
    private WorkProgress? _progress;
    private string _reference = "";
    private bool _whatIf;

    /// <summary>The file or directory whose extents are shared. Taken as it is, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    public string ReferencePath { get; set; } = "";

    /// <summary>The file or directory that is to share them. A wildcard has to match one item.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [FileSystemInfoToPath]
    [SupportsWildcards]
    public string Path { get; set; } = "";

    /// <summary>The file or directory that is to share them, its path taken as it is.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string LiteralPath { get; set; } = "";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _reference = SessionPath.Argument(this, ReferencePath);
        _whatIf = MyInvocation.BoundParameters.TryGetValue("WhatIf", out object? given)
            ? (SwitchParameter)given
            : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));
        _session = new MergeSession(Write, WriteFailure, WriteGap, () => _progress!.Tick(), _whatIf);
        _progress = new WorkProgress(this, _whatIf ? "Comparing" : "Merging", Describe);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        bool literal = ParameterSetName == LiteralPathSet;
        string? path = SessionPath.ResolveOne(this, literal ? LiteralPath : Path, literal, WriteError);
        if (path is not null && !Cancellation.IsCancellationRequested)
        {
            _progress!.Item = path;
            Attempt(() => Merge(path));
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

    private void Merge(string path)
    {
        string target = $"Item: {path} Reference: {_reference}";
        if (!_whatIf)
        {
            if (ShouldProcess(target, "Merge"))
            {
                _session!.Merge(_reference, path, Cancellation);
            }

            return;
        }

        MergeCounters counters = _session!.Counters;
        (long deduped, long unshared) = (counters.DedupedLength, counters.UnsharedLength);
        _session.Merge(_reference, path, Cancellation);
        ShouldProcess(
            target,
            $"Merge {counters.DedupedLength - deduped} bytes, which frees up to {counters.UnsharedLength - unshared} bytes");
    }

    private void Write(MergeResult result)
    {
        if (!_whatIf)
        {
            WriteObject(result);
        }
    }

    private void WriteGap(string path, PairGap reason) =>
        WriteVerbose(reason switch
        {
            PairGap.OnlyInPath => $"'{path}' has no counterpart below '{_reference}'.",
            PairGap.OnlyInReference => $"'{path}' is only below the reference.",
            _ => $"'{path}' is not of the same kind below '{_reference}'.",
        });

    private string Describe(TimeSpan elapsed)
    {
        MergeCounters counters = _session!.Counters;
        return string.Create(
            CultureInfo.CurrentCulture,
            $"{counters.Files:N0} files, {counters.Length / 1e6:N1} MB, {counters.DedupedLength / 1e6:N1} MB merged");
    }
}
