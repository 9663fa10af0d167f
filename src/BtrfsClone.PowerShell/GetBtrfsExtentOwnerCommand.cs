using System.Management.Automation;
using BtrfsClone.Owning;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Get-BtrfsExtentOwner</c>: the references to the extents of files, in all subvolumes and snapshots; one object for each
/// reference and name.
/// </summary>
[Cmdlet(VerbsCommon.Get, "BtrfsExtentOwner", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Get-BtrfsExtentOwner.html")]
[OutputType(typeof(BtrfsExtentOwner))]
public sealed class GetBtrfsExtentOwnerCommand : BtrfsCmdlet
{
    private readonly OwnerSession _session = new();

    /// <summary>
    /// The start on disk of the single extent to look up, in bytes; by default all extents of the file. Output of
    /// <c>Get-BtrfsExtent</c> binds to it; holes and inline data, which have no disk offset, have no owners.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [AllowNull]
    public long? DiskOffset { get; set; }

    /// <summary>The size of this extent on disk, which the output objects then contain.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(ByteCountCompleter))]
    [AllowNull]
    public long? DiskLength { get; set; }

    /// <inheritdoc/>
    protected override void ProcessItem(ItemPath item)
    {
        try
        {
            bool any = false;
            foreach (BtrfsExtentOwner owner in Owners(item.Target))
            {
                any = true;
                WriteObject(owner);
            }

            if (!any)
            {
                WriteVerbose($"'{PathText.Printable(item.FullName)}' has no extent on disk; holes and inline data have no owners.");
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
            _session.Dispose();
        }

        base.Dispose(disposing);
    }

    private IEnumerable<BtrfsExtentOwner> Owners(string path) =>
        !MyInvocation.BoundParameters.ContainsKey(nameof(DiskOffset)) ? _session.Read(path, Cancellation)
        : DiskOffset is long offset ? _session.Read(path, offset, DiskLength ?? 0, Cancellation)
        : [];
}
