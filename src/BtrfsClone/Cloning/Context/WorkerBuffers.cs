using System.Runtime.InteropServices;
using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>The buffers of one worker, allocated once: nothing is allocated per entry.</summary>
internal sealed unsafe class WorkerBuffers : IWalkBuffers
{
    private const int FiemapExtents = 64;
    private const int PathSize = 320;

    private readonly byte* _temporaryName;

    /// <param name="toClose">The number of finished files that may stay open for a while.</param>
    /// <param name="batch">The maximum number of files that are cloned together.</param>
    public WorkerBuffers(int toClose, int batch)
    {
        Batch = new FileBatch(batch);
        Closing = new ClosingBatch(toClose);
        LinkDirectories = new LinkDirectories(Math.Max(toClose / 8, 1));
        Entries = Allocate(DirectoryBatch.BufferSize);
        XattrNames = Allocate(Sys.XattrMax + 1); // A zero follows the longest list, whatever the last name ends with.
        OtherXattrNames = Allocate(Sys.XattrMax + 1);
        XattrValue = Allocate(Sys.XattrMax);
        LinkTarget = Allocate(Sys.PathMax + 1);
        SourcePath = Allocate(PathSize);
        DestinationPath = Allocate(PathSize);
        _temporaryName = Allocate(TemporaryName.MaxSize);
    }

    public byte* Entries { get; }

    /// <summary>Files that are finished or skipped.</summary>
    public ClosingBatch Closing { get; }

    /// <summary>Files that wait to be cloned together.</summary>
    public FileBatch Batch { get; }

    /// <summary>Directories from which further links are created.</summary>
    public LinkDirectories LinkDirectories { get; }

    public WriteOutAhead Ahead { get; } = new();

    public byte* XattrNames { get; }

    public byte* OtherXattrNames { get; }

    public byte* XattrValue { get; }

    public byte* LinkTarget { get; }

    public byte* SourcePath { get; }

    public byte* DestinationPath { get; }

    public FiemapReader Fiemap { get; } = new(FiemapExtents);

    /// <summary>
    /// Writes <c>/proc/self/fd/N/NAME</c>: the only way to name an entry for calls that accept only paths, without resolving the
    /// directory's own path again.
    /// </summary>
    public static byte* ProcPath(byte* buffer, Descriptor descriptor, byte* name)
    {
        int length = descriptor.WritePath(new Span<byte>(buffer, PathSize));
        if (name != null)
        {
            buffer[length++] = (byte)'/';
            int nameLength = Utf8Z.Length(name);
            new ReadOnlySpan<byte>(name, nameLength).CopyTo(new Span<byte>(buffer + length, nameLength));
            length += nameLength;
        }

        buffer[length] = 0;
        return buffer;
    }

    /// <summary>A name that no one else uses, for an entry that is renamed over an existing file.</summary>
    public byte* NewTemporaryName()
    {
        TemporaryName.Write(new Span<byte>(_temporaryName, TemporaryName.MaxSize));
        return _temporaryName;
    }

    /// <summary>Closes all descriptors, at the end of an item.</summary>
    public void CloseAll()
    {
        Closing.CloseAll();
        LinkDirectories.CloseAll();
    }

    public void Dispose()
    {
        CloseAll();
        foreach (nint memory in (ReadOnlySpan<nint>)[(nint)Entries, (nint)XattrNames, (nint)OtherXattrNames,
            (nint)XattrValue, (nint)LinkTarget, (nint)SourcePath, (nint)DestinationPath, (nint)_temporaryName])
        {
            NativeMemory.Free((void*)memory);
        }
    }

    private static byte* Allocate(int size) => (byte*)NativeMemory.AllocZeroed((nuint)size);
}
