using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Copy-BtrfsRange</c>: clones a range of a file to another file, or to another offset of the same one, by sharing its extents.
/// Objects from Get-BtrfsExtent in the pipeline are ranges, cloned one after the other in their order.
/// </summary>
[Cmdlet(
    VerbsCommon.Copy,
    "BtrfsRange",
    DefaultParameterSetName = PathSet,
    SupportsShouldProcess = true,
    HelpUri = OnlineHelp.Pages + "Copy-BtrfsRange.html")]
[OutputType(typeof(RangeCloneResult))]
public sealed class CopyBtrfsRangeCommand : DestinationCmdlet
{
    private readonly RangeCloner _cloner = new();
    private bool _isOffsetNamed;
    private bool _isLengthNamed;

    /// <summary>The start of the range in the source, in bytes: a multiple of the block size (usually 4096).</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(0, long.MaxValue)]
    public long Offset { get; set; }

    /// <summary>
    /// The length of the range, in bytes: a multiple of the block size, or up to the end of the source. 0, the default, means up to
    /// the end. If it ends inside a block, this must become the end of the destination.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(0, long.MaxValue)]
    public long Length { get; set; }

    /// <summary>The offset in the destination, in bytes; by default the source's offset.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(0, long.MaxValue)]
    public long DestinationOffset { get; set; }

    /// <summary>Writes a <see cref="RangeCloneResult"/> for each range.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        CleanUpWhenProcessEnds();

        // Pipeline input is not bound yet.
        _isOffsetNamed = IsBound(nameof(Offset));
        _isLengthNamed = IsBound(nameof(Length));
        base.BeginProcessing();
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (!TryResolve(out string source, out string destination))
        {
            return;
        }

        // A path by value also has properties, but they do not describe a range: a string has a length.
        bool isRange = ParameterSetName == LiteralPathSet || ItemToPathAttribute.Given(Path) is not (null or FileSystemInfo);
        long offset = isRange || _isOffsetNamed ? Offset : 0;
        long length = isRange || _isLengthNamed ? Length : 0;
        long to = IsBound(nameof(DestinationOffset)) ? DestinationOffset : offset;
        string size = length == 0 ? "to the end" : $"{length} bytes";
        if (ShouldProcess(
            PathText.Printable($"Item: {source} Destination: {destination}"),
            $"Clone range (offset {offset}, {size}, to offset {to})"))
        {
            Attempt(() => Clone(source, destination, offset, length, to));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _cloner.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool IsBound(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    private void Clone(string source, string destination, long offset, long length, long to)
    {
        RangeCloneResult result = _cloner.Clone(source, destination, offset, length, to);
        if (PassThru)
        {
            WriteResult(result);
        }
    }
}
