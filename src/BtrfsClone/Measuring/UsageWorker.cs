using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>One worker: its buffers, and its counts.</summary>
internal sealed unsafe class UsageWorker : IWalkBuffers
{
    private readonly UsageShared _shared;
    private readonly Action<UsageTotals>? _onEnd;

    /// <param name="shared">What all workers share.</param>
    /// <param name="onEnd">Receives the counts when the worker is disposed of.</param>
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

    /// <summary>Counts a file with FIEMAP only.</summary>
    public void AddFile(MeasuredDirectory directory, byte* name)
    {
        CallResult result = FileOpener.Open(directory.Descriptor, name, out Descriptor file);
        if (result.Failed)
        {
            if (!FileOpener.IsGone(result))
            {
                _shared.Report(BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, PathOf(directory, name)));
            }

            return;
        }

        using DescriptorScope closing = new(file);
        try
        {
            result = Sys.Stat(file, out Statx status);
            if (result.Failed)
            {
                _shared.Report(BtrfsException.FromErrno(result.Error, SystemCall.Statx, PathOf(directory, name)));
            }
            else if (status.LinkCount <= 1 || _shared.IsFirst(status.Device, status.Inode))
            {
                Fiemap.Add(file, "", 0, long.MaxValue);
                _shared.AddFile();
            }
        }
        catch (BtrfsException failure)
        {
            _shared.Report(failure.At(PathOf(directory, name)));
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        _onEnd?.Invoke(Totals);
    }

    private static string PathOf(MeasuredDirectory directory, byte* name) =>
        directory.PathOf(new ReadOnlySpan<byte>(name, Utf8Z.Length(name)));
}
