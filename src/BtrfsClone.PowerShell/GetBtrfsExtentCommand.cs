using System.Management.Automation;
using BtrfsClone.Extents;

namespace BtrfsClone.PowerShell;

/// <summary><c>Get-BtrfsExtent</c>: the file extents of files, one object each, in file order.</summary>
[Cmdlet(VerbsCommon.Get, "BtrfsExtent", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Get-BtrfsExtent.html")]
[OutputType(typeof(BtrfsExtent))]
public sealed class GetBtrfsExtentCommand : BtrfsCmdlet
{
    private ExtentItems? _items;

    /// <summary>
    /// The first byte of the range to read, by default 0. An extent that overlaps the range is returned whole, a hole is clipped to
    /// the range.
    /// </summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(0, long.MaxValue)]
    public long Offset { get; set; }

    /// <summary>The length of the range in bytes; by default to the end of the file and beyond.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [ValidateRange(1, long.MaxValue)]
    public long Length { get; set; }

    /// <summary>Also returns holes, up to the end of the file.</summary>
    [Parameter]
    public SwitchParameter IncludeHole { get; set; }

    /// <summary>
    /// The source of extent information: btrfs's trees, which requires CAP_SYS_ADMIN; FIEMAP, which any user may use and which
    /// leaves most of the properties null; or, the default, the trees if they may be read.
    /// </summary>
    [Parameter]
    public ExtentSource Source { get; set; }

    /// <summary>Reads all files below directories.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>Skips other filesystems that are mounted below directories. Nested subvolumes count as part of the filesystem.</summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        var options = new ExtentReaderOptions
        {
            Offset = Offset,
            Length = Length == 0 ? null : Length,
            IncludeHole = IncludeHole,
            Source = Source,
        };
        _items = new ExtentItems(
            new ExtentReader(options), directories: false, Recurse, OneFileSystem, WarnOfMounts(OneFileSystem), WriteVerbose);
    }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        try
        {
            bool isPending = false;
            foreach (BtrfsExtent extent in _items!.Read(item, WriteFailure, Cancellation))
            {
                // FIEMAP never returns this, and a tree only for committed data.
                isPending |= extent is { Generation: not null, DiskOffset: not null, ReferenceCount: null };
                WriteObject(extent);
            }

            if (isPending)
            {
                WriteVerbose(
                    $"'{PathText.Printable(item.FullName)}' has extents that are not committed yet, whose ReferenceCount is empty.");
            }
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "not a regular file");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _items?.Dispose();
        }

        base.Dispose(disposing);
    }
}
