using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>
/// Finds the files below one directory. Other filesystems mounted there are skipped, and subvolumes that are searched completely
/// are left to be read from their trees.
/// </summary>
internal sealed unsafe class WantedWalk : TreeWalk<FoundDirectory, ListingBuffer>
{
    private readonly WantedFiles _found;
    private readonly FindContext _context;
    private readonly FoundDirectory _top;
    private readonly string _topName;

    public WantedWalk(WantedFiles found, FindContext context, FoundDirectory top)
        : base(context.Workers, context.MaxOpen, context.Cancellation)
    {
        (_found, _context, _top) = (found, context, top);
        _topName = CloneDestination.NameOf(top.Path);
    }

    /// <summary>Walks everything below the top directory, which is open, and closes it.</summary>
    public void Run(ListingBuffer buffer) => Run(_top, buffer);

    protected override FoundDirectory NewNode() => new();

    protected override ListingBuffer NewBuffers() => new();

    protected override bool IsWanted(FoundDirectory node, DirectoryBatch.Entry entry) =>
        entry.Type is not (DirectoryEntry.TypeRegular or DirectoryEntry.TypeDirectory) || _found.Filter is null ||
        _found.Filter(
            node.NamesTo(_top, _topName, entry.Name),
            entry.Type == DirectoryEntry.TypeDirectory ? EntryKind.Directory : EntryKind.File);

    protected override bool Open(ListingBuffer buffers, FoundDirectory node)
    {
        FoundDirectory parent = node.Parent!;
        CallResult result = OpenDirectory.Found(
            parent.Descriptor, parent.Status, node.Name, out Descriptor descriptor, out node.Status, out SystemCall call);
        if (result.Failed)
        {
            if (result.Is(Errno.EXDEV))
            {
                _context.TellPassedOver(node.Path);
            }
            else if (!FileOpener.IsGone(result))
            {
                Report(node, call, result);
            }

            return false;
        }

        node.Take(descriptor);
        if (TryEnter(parent, node))
        {
            node.NameInTable = _found.AddName(parent.NameInTable, Utf8Z.Span(node.Name));
            return true;
        }

        node.Close();
        return false;
    }

    protected override void Visit(ListingBuffer buffers, FoundDirectory node, in DirectoryBatch batch, bool isCaller)
    {
        _found.Add(node, batch);
        Pump(isCaller);
    }

    protected override void Finish(ListingBuffer buffers, FoundDirectory node)
    {
    }

    protected override void ReportUnlisted(FoundDirectory node, CallResult result) => Report(node, SystemCall.GetDents, result);

    protected override void ReportLost(FoundDirectory node) =>
        _context.Report(new BtrfsException(BtrfsError.ChangedMeanwhile, node.Path));

    protected override void PumpCaller()
    {
        _context.Progress.SetFiles(_found.Count);
        _context.Pump();
    }

    /// <summary>Whether to walk a directory.</summary>
    private bool TryEnter(FoundDirectory parent, FoundDirectory node)
    {
        node.Tree = parent.Tree;
        if (node.Status.Device == parent.Status.Device)
        {
            return true;
        }

        byte[] path = [.. _found.PathAt(parent.NameInTable), (byte)'/', .. Utf8Z.Span(node.Name)];
        try
        {
            if (_found.TakesWhole(node.Status))
            {
                _found.Trees.AddWhole(node.Descriptor, path);
                return false;
            }

            node.Tree = _found.Trees.Of(node.Descriptor, path).Number;
            return true;
        }
        catch (BtrfsException failure)
        {
            _context.Report(failure);
            return false;
        }
    }

    private void Report(FoundDirectory node, SystemCall call, CallResult result) =>
        _context.Report(BtrfsException.FromErrno(result.Error, call, node.Path));
}
