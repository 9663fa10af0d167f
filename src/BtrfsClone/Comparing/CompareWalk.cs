using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>Compares all entries of a tree with those of the reference.</summary>
/// <param name="report">Receives the results.</param>
/// <param name="newWorker">Creates another worker.</param>
/// <param name="pump">Called from time to time on the session's thread.</param>
/// <param name="workers">The maximum number of threads.</param>
/// <param name="oneFileSystem">Whether other filesystems are skipped.</param>
/// <param name="cancellation">Cancels the walk.</param>
internal sealed unsafe class CompareWalk(
    CompareReport report, Func<CompareWorker> newWorker, Action pump, int workers, bool oneFileSystem,
    CancellationToken cancellation)
    : PairWalk<CompareWorker>(workers, oneFileSystem, cancellation)
{
    // The name of an open file in error messages until its path is needed.
    private const string ReferenceRole = "reference";
    private const string FileRole = "file";

    protected override CompareWorker NewBuffers() => newWorker();

    /// <summary>The files below it are counted.</summary>
    protected override bool EnterGap(CompareWorker buffers, PairNode node, PairGap gap)
    {
        report.AddGap(node.PathOf(false, []), gap, isFile: false);
        return true;
    }

    protected override void VisitEntry(CompareWorker buffers, PairNode node, byte* name, byte type)
    {
        if (node.IsAlone && type != DirectoryEntry.TypeRegular)
        {
            return; // Its directory was reported as the gap.
        }

        if (!TryLook(node, name, out Statx status, out Statx reference, out bool isPaired))
        {
            return;
        }

        PairGap? gap = !isPaired ? PairGap.OnlyInPath
            : !IsSameKind(buffers, node, name, reference, status) ? PairGap.OtherKind
            : null;
        bool isFile = status.FileType == Sys.ModeRegular;
        if (gap is PairGap found && !node.IsAlone)
        {
            report.AddGap(node.PathOf(false, Utf8Z.Span(name)), found, isFile);
        }

        if (isFile && gap is null)
        {
            Compare(buffers, node, name, reference, status);
        }
        else if (isFile)
        {
            report.AddFile(buffers, node, Utf8Z.Span(name), new FileFinding(IsFile: true, (long)status.Size), gap);
        }
    }

    protected override void VisitOnlyInReference(CompareWorker buffers, PairNode node, DirectoryBatch.Entry entry) =>
        report.AddGap(node.PathOf(true, entry.Name), PairGap.OnlyInReference, isFile: false);

    protected override void VisitFailure(PairNode node, bool inReference, BtrfsException failure) =>
        report.AddFailure(failure);

    protected override void VisitPassedOver(PairNode node, bool inReference, OtherFileSystem mounted) =>
        report.TellPassedOver(node.PathOf(inReference, []), mounted);

    protected override void PumpCaller() => pump();

    private bool IsSameKind(CompareWorker buffers, PairNode node, byte* name, in Statx reference, in Statx status)
    {
        if (reference.FileType != status.FileType)
        {
            return false;
        }

        switch (status.FileType)
        {
            case Sys.ModeSymlink:
                CallResult result = buffers.HaveSameTarget(node.Reference, node.Directory, name, out bool areSame);
                if (result.Failed)
                {
                    Fail(node, inReference: false, Utf8Z.Span(name), SystemCall.ReadlinkAt, result);
                }

                return areSame || result.Failed;
            case Sys.ModeCharDevice or Sys.ModeBlockDevice:
                return reference.SpecialDeviceMajor == status.SpecialDeviceMajor &&
                    reference.SpecialDeviceMinor == status.SpecialDeviceMinor;
            default:
                return true;
        }
    }

    private void Compare(CompareWorker buffers, PairNode node, byte* name, in Statx referenceStatus, in Statx status)
    {
        if (status.Size == 0)
        {
            report.AddFile(
                buffers, node, Utf8Z.Span(name), new FileFinding(IsFile: true, 0, IsClone: referenceStatus.Size == 0));
            return;
        }

        CallResult opened = ComparedFile.Open(node.Reference, name, OpenFlags.NoFollow, out Descriptor reference);
        if (opened.Failed)
        {
            Fail(node, inReference: true, Utf8Z.Span(name), SystemCall.OpenAt, opened);
            return;
        }

        using DescriptorScope closingReference = new(reference);
        opened = ComparedFile.Open(node.Directory, name, OpenFlags.NoFollow, out Descriptor file);
        using DescriptorScope closingFile = new(file);
        try
        {
            if (opened.Failed)
            {
                Fail(node, inReference: false, Utf8Z.Span(name), SystemCall.OpenAt, opened);
                return;
            }

            FileFinding finding = buffers.Compare(
                new ComparedFile(reference, ReferenceRole, referenceStatus), new ComparedFile(file, FileRole, status));
            report.AddFile(buffers, node, Utf8Z.Span(name), finding);
        }
        catch (BtrfsException failure)
        {
            string path = node.PathOf(failure.Path == ReferenceRole, Utf8Z.Span(name));
            report.AddFailure(failure.At(path));
        }
    }
}
