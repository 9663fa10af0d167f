using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>The buffers of one merging thread, allocated once.</summary>
/// <param name="preview">Only count: compare by reading, and share nothing.</param>
/// <param name="counters">The counters to update.</param>
/// <param name="pump">Called between two steps; it may throw to end the work.</param>
internal sealed unsafe class MergeWorker(bool preview, MergeCounters counters, Action pump) : IWalkBuffers
{
    private readonly FileMerger _files = new(preview, counters, pump);

    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    /// <summary>Opens two files and merges them.</summary>
    /// <param name="referenceDirectory">The directory of the reference.</param>
    /// <param name="referenceName">Its name there.</param>
    /// <param name="referencePath">Its path, for messages.</param>
    /// <param name="directory">The directory of the file that is to share the reference's extents.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="flags">Additional flags to open both with.</param>
    /// <exception cref="BtrfsException">It failed; what was shared by then stays shared.</exception>
    public MergeResult Merge(
        Descriptor referenceDirectory, byte* referenceName, string referencePath,
        Descriptor directory, byte* name, string path, int flags)
    {
        var reference = MergedFile.Open(referenceDirectory, referenceName, referencePath, flags, out Statx ofReference);
        using DescriptorScope closingReference = new(reference.Descriptor);
        var file = MergedFile.Open(directory, name, path, flags, out Statx ofFile);
        using DescriptorScope closingFile = new(file.Descriptor);

        // Two links to one inode, one in each tree, are always equal.
        return _files.Merge(reference, file, isOne: ofReference.IsSameFileAs(ofFile));
    }

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        _files.Dispose();
    }
}
