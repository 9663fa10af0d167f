using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>The memory that one worker of a walk needs, allocated once.</summary>
internal unsafe interface IWalkBuffers : IDisposable
{
    /// <summary><see cref="DirectoryBatch.BufferSize"/> bytes for a part of a listing.</summary>
    byte* Entries { get; }
}
