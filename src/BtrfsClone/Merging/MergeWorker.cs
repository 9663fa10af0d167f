using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Merging;

/// <summary>What one thread that merges needs, allocated once.</summary>
/// <param name="preview">Only count: compare by reading, and share nothing.</param>
/// <param name="counters">Where to count.</param>
/// <param name="pump">Is called between two steps; it may end the work by an exception.</param>
internal sealed unsafe class MergeWorker(bool preview, MergeCounters counters, Action pump) : IWalkBuffers
{
    private readonly FileMerger _files = new(preview, counters, pump);

    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    /// <summary>Opens two files and merges them.</summary>
    /// <param name="referenceDirectory">Where the reference is.</param>
    /// <param name="referenceName">Its name there.</param>
    /// <param name="referencePath">Its path, for messages.</param>
    /// <param name="directory">Where the file is that is to share the reference's extents.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="flags">More flags to open both with.</param>
    /// <exception cref="BtrfsException">It failed; what was shared until then stays so.</exception>
    public MergeResult Merge(
        Descriptor referenceDirectory, byte* referenceName, string referencePath,
        Descriptor directory, byte* name, string path, int flags)
    {
        var reference = MergedFile.Open(referenceDirectory, referenceName, referencePath, flags, out Statx ofReference);
        using DescriptorScope closingReference = new(reference.Descriptor);
        var file = MergedFile.Open(directory, name, path, flags, out Statx ofFile);
        using DescriptorScope closingFile = new(file.Descriptor);

        // Two links of one inode, one in each tree, are the same by nature.
        return _files.Merge(reference, file, isOne: ofReference.IsSameFileAs(ofFile));
    }

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        _files.Dispose();
    }
}
