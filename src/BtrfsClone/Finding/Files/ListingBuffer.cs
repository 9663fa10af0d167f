using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>The buffers of one worker of a walk.</summary>
internal sealed unsafe class ListingBuffer : IWalkBuffers
{
    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    public void Dispose() => NativeMemory.Free(Entries);
}
