using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>What one thread that merges needs, allocated once.</summary>
internal sealed unsafe class MergeWorker(bool preview, MergeCounters counters, Action pump) : IWalkBuffers
{
    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    public FileMerger Files { get; } = new(preview, counters, pump);

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        Files.Dispose();
    }
}
