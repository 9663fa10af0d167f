using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>One worker: its memory, and what it has counted.</summary>
internal sealed unsafe class UsageWorker : IWalkBuffers
{
    private readonly UsageShared _shared;
    private readonly Action<UsageTotals>? _onEnd;

    /// <param name="shared">What all workers share.</param>
    /// <param name="onEnd">Takes what was counted when the worker is disposed of.</param>
    public UsageWorker(UsageShared shared, Action<UsageTotals>? onEnd = null)
    {
        (_shared, _onEnd) = (shared, onEnd);
        Fiemap = new FiemapUsage(shared, Totals);
        Tree = new TreeUsage(shared, Totals, Fiemap);
    }

    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    public UsageTotals Totals { get; } = new();

    public FiemapUsage Fiemap { get; }

    public TreeUsage Tree { get; }

    /// <summary>Counts a file by FIEMAP alone.</summary>
    public void AddFile(MeasuredDirectory directory, byte* name)
    {
        int descriptor = FileOpener.Open(directory.Descriptor, name);
        if (descriptor < 0)
        {
            if (!FileOpener.IsGone(descriptor))
            {
                Report(BtrfsException.FromErrno(-descriptor, "openat", PathOf(directory, name)));
            }

            return;
        }

        try
        {
            int result = Sys.Stat(descriptor, out Statx status);
            if (result < 0)
            {
                Report(BtrfsException.FromErrno(-result, "statx", PathOf(directory, name)));
            }
            else if (status.LinkCount <= 1 || _shared.IsFirst(status.Device, status.Inode))
            {
                Fiemap.Add(descriptor, "", 0, long.MaxValue);
                _shared.AddFile();
            }
        }
        catch (BtrfsException failure)
        {
            Report(new BtrfsException(failure.Error, PathOf(directory, name), failure.Errno, failure.Call));
        }
        finally
        {
            Sys.Close(descriptor);
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        _onEnd?.Invoke(Totals);
    }

    private static string PathOf(MeasuredDirectory directory, byte* name) =>
        directory.PathOf(new ReadOnlySpan<byte>(name, Utf8Z.Length(name)));

    private void Report(BtrfsException failure) => _shared.Failures.Enqueue(failure);
}
