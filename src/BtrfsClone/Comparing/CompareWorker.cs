using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>One worker: its buffers, and its results.</summary>
internal sealed unsafe class CompareWorker(Action<CompareTotals>? onEnd = null) : IWalkBuffers
{
    private const int MostTries = 3;

    private readonly FileComparer _files = new();
    private readonly byte* _link = (byte*)NativeMemory.Alloc(Sys.PathMax);
    private readonly byte* _otherLink = (byte*)NativeMemory.Alloc(Sys.PathMax);
    private (ulong Reference, ulong File) _devices;
    private bool _areOne;

    public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

    public CompareTotals Totals { get; private set; } = new();

    /// <summary>Starts a comparison.</summary>
    public void Start(CompareTotals totals, bool mayReadTrees, CancellationToken cancellation)
    {
        Totals = totals;
        _files.MayReadTrees = mayReadTrees;
        _files.Cancellation = cancellation;
    }

    /// <summary>Compares two open files.</summary>
    /// <remarks>
    /// The reference is mapped first. An address that it has freed since may belong to the other file by then, with other data:
    /// what seems to be a clone is compared again if the reference has changed in the meantime, and is not a clone if it keeps
    /// changing.
    /// </remarks>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    public FileFinding Compare(ComparedFile reference, ComparedFile file)
    {
        FileFinding found = CompareOnce(reference, file);
        for (int tries = 1; found.IsClone && !reference.IsUnchanged(out ComparedFile changed); tries++)
        {
            if (tries == MostTries)
            {
                return found with { IsClone = false };
            }

            reference = changed;
            _ = file.IsUnchanged(out file);
            found = CompareOnce(reference, file);
        }

        return found;
    }

    private FileFinding CompareOnce(in ComparedFile reference, in ComparedFile file)
    {
        SameBytes same = file.Status.IsSameFileAs(reference.Status) ? new SameBytes { Shared = file.Size }
            : !AreOnOneFileSystem(reference, file) ? default
            : _files.Compare(reference, file);
        bool isClone = same.Shared + same.Inline == file.Size && file.Size == reference.Size;
        return new FileFinding(IsFile: true, file.Size, same, isClone);
    }

    /// <summary>Whether two symbolic links, of one name in two directories, have the same target.</summary>
    public CallResult HaveSameTarget(Descriptor reference, Descriptor directory, byte* name, out bool areSame)
    {
        CallResult length = Sys.ReadLink(reference, name, _link, Sys.PathMax);
        CallResult otherLength = Sys.ReadLink(directory, name, _otherLink, Sys.PathMax);
        areSame = length.Succeeded && otherLength.Succeeded &&
            new ReadOnlySpan<byte>(_link, (int)length.Value).SequenceEqual(
                new ReadOnlySpan<byte>(_otherLink, (int)otherLength.Value));
        return length.Failed ? length : otherLength;
    }

    public void Dispose()
    {
        NativeMemory.Free(Entries);
        NativeMemory.Free(_link);
        NativeMemory.Free(_otherLink);
        onEnd?.Invoke(Totals);
    }

    /// <summary>Determined once for all files of two subvolumes.</summary>
    private bool AreOnOneFileSystem(in ComparedFile reference, in ComparedFile file)
    {
        if (_devices != (reference.Status.Device, file.Status.Device))
        {
            _areOne = FileSystems.AreOne(reference.Descriptor, reference.Status, file.Descriptor, file.Status) == true;
            _devices = (reference.Status.Device, file.Status.Device);
        }

        return _areOne;
    }
}
