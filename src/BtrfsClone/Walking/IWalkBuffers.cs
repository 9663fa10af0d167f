using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>The buffers of one worker of a walk, allocated once.</summary>
internal unsafe interface IWalkBuffers : IDisposable
{
    /// <summary><see cref="DirectoryBatch.BufferSize"/> bytes for a part of a listing.</summary>
    byte* Entries { get; }
}
