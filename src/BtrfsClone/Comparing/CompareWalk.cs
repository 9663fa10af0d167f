using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>Compares all entries of a tree with those of the reference.</summary>
internal sealed unsafe class CompareWalk(CompareSession session, int workers, CancellationToken cancellation)
    : PairWalk<CompareWorker>(workers, cancellation)
{
    // What an open file is called in errors until its path is needed.
    private const string ReferenceRole = "reference";
    private const string FileRole = "file";

    private readonly CancellationToken _cancellation = cancellation;

    protected override CompareWorker NewBuffers() => session.NewWorker();

    protected override void Visit(CompareWorker buffers, PairNode node, in DirectoryBatch batch, bool isCaller)
    {
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (IsStopped)
            {
                return;
            }

            if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver))
            {
                VisitEntry(buffers, node, entry.NamePointer);
                Pump(isCaller);
            }
        }
    }

    protected override void VisitFile(CompareWorker buffers, PairNode node, byte* name) => VisitEntry(buffers, node, name);

    protected override void VisitGap(string path, PairGap gap) => session.AddGap(path, gap, isFile: false);

    protected override void VisitDirectoryGap(CompareWorker buffers, PairNode node, PairGap gap)
    {
        VisitGap(node.PathOf(false, []), gap);
        if (Sys.Stat(node.Directory, out node.DirectoryStatus) >= 0)
        {
            new LonelyWalk(session, _cancellation).Run(node, buffers);
        }
    }

    protected override void VisitFailure(BtrfsException failure) => session.AddFailure(failure);

    protected override void PumpCaller() => session.Pump();

    private static ReadOnlySpan<byte> Text(byte* name) => new(name, Utf8Z.Length(name));

    private void VisitEntry(CompareWorker buffers, PairNode node, byte* name)
    {
        int result = Sys.StatEntry(node.Directory, name, out Statx status);
        if (result < 0)
        {
            if (result != -Errno.ENOENT)
            {
                Fail(node, name, inReference: false, "statx", result);
            }

            return;
        }

        result = Sys.StatEntry(node.Reference, name, out Statx referenceStatus);
        if (result < 0 && result != -Errno.ENOENT)
        {
            Fail(node, name, inReference: true, "statx", result);
            return;
        }

        if (result >= 0)
        {
            node.AddPaired();
        }

        PairGap? gap = result < 0 ? PairGap.OnlyInPath
            : !IsSameKind(buffers, node, name, referenceStatus, status) ? PairGap.OtherKind
            : null;
        bool isFile = status.FileType == Sys.ModeRegular;
        if (gap is PairGap found)
        {
            session.AddGap(node.PathOf(false, Text(name)), found, isFile);
        }

        if (isFile && gap is null)
        {
            Compare(buffers, node, name, referenceStatus, status);
        }
        else if (isFile)
        {
            session.AddFile(buffers, node, Text(name), new FileFinding(IsFile: true, (long)status.Size), gap);
        }
    }

    private bool IsSameKind(CompareWorker buffers, PairNode node, byte* name, in Statx reference, in Statx status)
    {
        if (reference.FileType != status.FileType)
        {
            return false;
        }

        switch (status.FileType)
        {
            case Sys.ModeSymlink:
                int same = buffers.HaveSameTarget(node.Reference, node.Directory, name);
                if (same < 0)
                {
                    Fail(node, name, inReference: false, "readlinkat", same);
                }

                return same != 0;
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
            session.AddFile(
                buffers, node, Text(name), new FileFinding(IsFile: true, 0, IsClone: referenceStatus.Size == 0));
            return;
        }

        int reference = ComparedFile.Open(node.Reference, name, OpenFlags.NoFollow);
        if (reference < 0)
        {
            Fail(node, name, inReference: true, "openat", reference);
            return;
        }

        int file = ComparedFile.Open(node.Directory, name, OpenFlags.NoFollow);
        try
        {
            if (file < 0)
            {
                Fail(node, name, inReference: false, "openat", file);
                return;
            }

            FileFinding finding = buffers.Compare(
                new ComparedFile(reference, ReferenceRole, referenceStatus), new ComparedFile(file, FileRole, status));
            session.AddFile(buffers, node, Text(name), finding);
        }
        catch (BtrfsException failure)
        {
            string path = node.PathOf(failure.Path == ReferenceRole, Text(name));
            session.AddFailure(new BtrfsException(failure.Error, path, failure.Errno, failure.Call));
        }
        finally
        {
            Sys.Close(reference);
            if (file >= 0)
            {
                Sys.Close(file);
            }
        }
    }

    private void Fail(PairNode node, byte* name, bool inReference, string call, int result) =>
        session.AddFailure(BtrfsException.FromErrno(-result, call, node.PathOf(inReference, Text(name))));
}
