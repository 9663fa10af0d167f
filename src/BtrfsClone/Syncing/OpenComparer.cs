using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Comparing;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// Compares entries by individual system calls, if the trees cannot be read: without CAP_SYS_ADMIN, on other filesystems, and with
/// mounts in between.
/// </summary>
internal sealed unsafe class OpenComparer(bool mayReadTrees) : IDisposable
{
    private readonly FileComparer _files = new() { MayReadTrees = mayReadTrees };
    private readonly SpaceBeyondEnd _beyondEnd = new();
    private readonly byte* _value = (byte*)NativeMemory.Alloc(Sys.XattrMax);
    private readonly byte* _target = (byte*)NativeMemory.Alloc(Sys.PathMax);

    /// <summary>Compares two entries of the same name and type.</summary>
    /// <param name="buffers">The worker's buffers.</param>
    /// <param name="pair">The directories that contain them.</param>
    /// <param name="entry">Their names.</param>
    /// <param name="status">The source's status.</param>
    /// <param name="other">The destination's status.</param>
    /// <param name="check">Whether extents are compared.</param>
    /// <param name="canShare">Whether both are on one filesystem: only then do equal addresses mean equal content.</param>
    /// <param name="difference">The differences between them.</param>
    /// <exception cref="BtrfsException">The location of a file's data could not be read.</exception>
    public Failure Compare(
        WorkerBuffers buffers, DirectoryPair pair, in SyncEntry entry, in Statx status, in Statx other, SyncCheck check,
        bool canShare, out InodeDifference difference)
    {
        difference = OfStatus(status, other);
        return status.FileType switch
        {
            Sys.ModeRegular => CompareFiles(buffers, pair, entry, status, other, check, canShare, ref difference),
            Sys.ModeSymlink => CompareLinks(buffers, pair, entry, ref difference),
            _ => CompareNamedXattrs(buffers, pair, entry, ref difference),
        };
    }

    /// <summary>
    /// Compares two files of equal size on one filesystem in detail, whose data seems to be at different addresses: clears
    /// <see cref="InodeDifference.Content"/> if it is not.
    /// </summary>
    /// <exception cref="BtrfsException">The location of a file's data could not be read.</exception>
    public Failure CompareContent(
        FileRanges ranges, DirectoryPair pair, in SyncEntry entry, in Statx status, in Statx other,
        ref InodeDifference difference)
    {
        Failure failure = OpenFiles(pair, entry, out Descriptor source, out Descriptor destination);
        if (failure.Failed)
        {
            return failure;
        }

        using var sourceScope = new DescriptorScope(source);
        using var destinationScope = new DescriptorScope(destination);
        bool isSame = _beyondEnd.IsSame(source, destination, status);
        if (isSame && _beyondEnd.IsEmpty)
        {
            ranges.Start(source, status, destination, other, mayReadTrees);
            isSame = !ranges.Next(out _, out _);
        }
        else if (isSame)
        {
            // Inline data is not cloned as inline data into a file that has something beyond its end.
            isSame = HaveSameContent(source, status, destination, other);
        }

        difference &= isSame ? ~InodeDifference.Content : difference;
        return default;
    }

    /// <summary>Compares the flags of two files: see <see cref="InodeDifference.WrittenFlags"/>.</summary>
    public static Failure CompareFlags(DirectoryPair pair, in SyncEntry entry, ref InodeDifference difference)
    {
        Failure failure = OpenFiles(pair, entry, out Descriptor source, out Descriptor destination);
        if (failure.Failed)
        {
            return failure;
        }

        using var sourceScope = new DescriptorScope(source);
        using var destinationScope = new DescriptorScope(destination);
        return CompareFlags(source, destination, ref difference, out _);
    }

    /// <summary>As above, for open files. Also returns whether both have the flag that enables compression.</summary>
    private static Failure CompareFlags(
        Descriptor source, Descriptor destination, ref InodeDifference difference, out bool areCompressed)
    {
        areCompressed = false;
        CallResult result = Sys.GetFlags(source, out InodeFlags flags);
        CallResult otherResult = Sys.GetFlags(destination, out InodeFlags otherFlags);
        if (result.Failed || otherResult.Failed)
        {
            return result.Failed
                ? Failure.Source(SystemCall.GetFlags, result)
                : Failure.Destination(SystemCall.GetFlags, otherResult);
        }

        areCompressed = (flags & otherFlags & InodeFlags.Compress) != 0;
        difference &= ~InodeDifference.WrittenFlags;
        difference |= OfFlags(flags, otherFlags);
        return default;
    }

    /// <summary>Compares two open directories: themselves, not their entries.</summary>
    /// <remarks>What is read for this is all that is needed to apply changes to them.</remarks>
    public Failure CompareDirectories(WorkerBuffers buffers, DirectoryPair pair, out InodeDifference difference)
    {
        difference = OfStatus(pair.SourceStatus, pair.DestinationStatus) & ~InodeDifference.Content;
        Failure failure = DirectoryTraits.Read(buffers, pair);
        if (failure.Failed)
        {
            return failure;
        }

        difference |= OfFlags(pair.SourceFlags, pair.DestinationFlags);
        var source = new XattrHolder(pair.Source);
        var destination = new XattrHolder(pair.Destination);
        CallResult otherNames = pair.HasXattrs ? destination.List(buffers.OtherXattrNames) : CallResult.Success;
        bool areCompressed = (pair.SourceFlags & pair.DestinationFlags & InodeFlags.Compress) != 0;
        return CompareXattrs(
            buffers, source, source.List(buffers.XattrNames), destination, otherNames, areCompressed, ref difference);
    }

    public void Dispose()
    {
        NativeMemory.Free(_value);
        NativeMemory.Free(_target);
    }

    private static InodeDifference OfStatus(in Statx status, in Statx other)
    {
        bool isDevice = status.FileType is Sys.ModeBlockDevice or Sys.ModeCharDevice;
        bool hasContentOf = status.Size == other.Size && (!isDevice ||
            (status.SpecialDeviceMajor == other.SpecialDeviceMajor && status.SpecialDeviceMinor == other.SpecialDeviceMinor));
        bool hasMetadataOf = status.Uid == other.Uid && status.Gid == other.Gid && status.Mode == other.Mode &&
            status.ModifyTime.Equals(other.ModifyTime);
        return (hasContentOf ? 0 : InodeDifference.Content) | (hasMetadataOf ? 0 : InodeDifference.Metadata);
    }

    private static InodeDifference OfFlags(InodeFlags flags, InodeFlags other) =>
        (flags == other ? 0 : InodeDifference.Metadata) |
        (((flags ^ other) & InodeFlags.Inherited) == 0 ? 0 : InodeDifference.Storage);

    private Failure CompareNamedXattrs(
        WorkerBuffers buffers, DirectoryPair pair, in SyncEntry entry, ref InodeDifference difference)
    {
        byte* source = WorkerBuffers.ProcPath(buffers.SourcePath, pair.Source, entry.SourceName);
        byte* destination = WorkerBuffers.ProcPath(buffers.DestinationPath, pair.Destination, entry.Name);
        return CompareXattrs(
            buffers, new XattrHolder(source), new XattrHolder(destination), areCompressed: false, ref difference);
    }

    private Failure CompareLinks(
        WorkerBuffers buffers, DirectoryPair pair, in SyncEntry entry, ref InodeDifference difference)
    {
        CallResult length = Sys.ReadLink(pair.Source, entry.SourceName, buffers.LinkTarget, Sys.PathMax);
        if (length.Failed)
        {
            return Failure.Source(SystemCall.ReadlinkAt, length);
        }

        CallResult otherLength = Sys.ReadLink(pair.Destination, entry.Name, _target, Sys.PathMax);
        if (otherLength.Failed)
        {
            return Failure.Destination(SystemCall.ReadlinkAt, otherLength);
        }

        bool isSame = new ReadOnlySpan<byte>(buffers.LinkTarget, (int)length.Value)
            .SequenceEqual(new ReadOnlySpan<byte>(_target, (int)otherLength.Value));
        difference |= isSame ? 0 : InodeDifference.Content;
        return CompareNamedXattrs(buffers, pair, entry, ref difference);
    }

    private Failure CompareFiles(
        WorkerBuffers buffers, DirectoryPair pair, in SyncEntry entry, in Statx status, in Statx other, SyncCheck check,
        bool canShare, ref InodeDifference difference)
    {
        Failure failure = OpenFiles(pair, entry, out Descriptor source, out Descriptor destination);
        if (failure.Failed)
        {
            return failure;
        }

        using var sourceScope = new DescriptorScope(source);
        using var destinationScope = new DescriptorScope(destination);
        failure = CompareFlags(source, destination, ref difference, out bool areCompressed);
        if (failure.Failed)
        {
            return failure;
        }

        if ((difference & InodeDifference.Content) == 0)
        {
            // With different times, files are different by time: their extents determine whether only the time differs.
            bool isSameByTime = status.ModifyTime.Equals(other.ModifyTime);
            bool isSame = !canShare || (check == SyncCheck.Time && isSameByTime)
                ? isSameByTime
                : HaveSameContent(source, status, destination, other);
            difference |= isSame ? 0 : InodeDifference.Content;
        }

        return CompareXattrs(
            buffers, new XattrHolder(source), new XattrHolder(destination), areCompressed, ref difference);
    }

    private bool HaveSameContent(Descriptor source, in Statx status, Descriptor destination, in Statx other)
    {
        SameBytes same = _files.Compare(new ComparedFile(source, "", status), new ComparedFile(destination, "", other));
        return same.Shared + same.Inline == (long)status.Size &&
            (status.Blocks == other.Blocks || _beyondEnd.IsSame(source, destination, status));
    }

    private static Failure OpenFiles(DirectoryPair pair, in SyncEntry entry, out Descriptor source, out Descriptor destination)
    {
        destination = default;
        Failure failure = OpenFile(pair.Source, entry.SourceName, atSource: true, out source);
        if (!failure.Failed)
        {
            failure = OpenFile(pair.Destination, entry.Name, atSource: false, out destination);
            if (failure.Failed)
            {
                Sys.Reject(ref source, CallResult.Success);
            }
        }

        return failure;
    }

    private static Failure OpenFile(Descriptor directory, byte* name, bool atSource, out Descriptor file)
    {
        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        CallResult result = Sys.OpenAt(directory, name, flags | OpenFlags.NoAccessTime, out file);
        result = result.Is(Errno.EPERM) ? Sys.OpenAt(directory, name, flags, out file) : result;
        return !result.Failed ? default
            : atSource ? Failure.Source(SystemCall.OpenAt, result)
            : Failure.Destination(SystemCall.OpenAt, result);
    }

    private Failure CompareXattrs(
        WorkerBuffers buffers, XattrHolder source, XattrHolder destination, bool areCompressed, ref InodeDifference difference) =>
        CompareXattrs(
            buffers, source, source.List(buffers.XattrNames), destination, destination.List(buffers.OtherXattrNames), areCompressed,
            ref difference);

    /// <summary>Compares the listed xattrs. A filesystem without xattr support has none.</summary>
    private Failure CompareXattrs(
        WorkerBuffers buffers, XattrHolder source, CallResult length, XattrHolder destination, CallResult otherLength,
        bool areCompressed, ref InodeDifference difference)
    {
        if (length.Failed && !length.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Source(SystemCall.ListXattr, length);
        }

        if (otherLength.Failed && !otherLength.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Destination(SystemCall.ListXattr, otherLength);
        }

        // The mark of a sync is not itself synced.
        int count = 0;
        int otherCount = 0;
        bool isSame = true;
        for (byte* name = buffers.OtherXattrNames; name < buffers.OtherXattrNames + otherLength.Value; name += Utf8Z.Length(name) + 1)
        {
            otherCount += SyncMark.IsName(name) ? 0 : 1;
        }

        for (byte* name = buffers.XattrNames; isSame && name < buffers.XattrNames + length.Value; name += Utf8Z.Length(name) + 1)
        {
            if (!SyncMark.IsName(name))
            {
                count++;
                isSame = HaveSameValue(buffers, source, destination, name);
            }
        }

        // The clone of a file that has the flag without the property has both.
        bool isClone = areCompressed && Xattrs.HaveCompression(buffers.OtherXattrNames, (int)otherLength.Value) &&
            !Xattrs.HaveCompression(buffers.XattrNames, (int)length.Value);
        difference |= isSame && count == otherCount - (isClone ? 1 : 0) ? 0 : InodeDifference.Metadata;
        return default;
    }

    private bool HaveSameValue(WorkerBuffers buffers, XattrHolder source, XattrHolder destination, byte* name)
    {
        CallResult size = source.Get(name, buffers.XattrValue);
        CallResult otherSize = destination.Get(name, _value);
        return !size.Failed && !otherSize.Failed && size.Value == otherSize.Value &&
            new ReadOnlySpan<byte>(buffers.XattrValue, (int)size.Value)
                .SequenceEqual(new ReadOnlySpan<byte>(_value, (int)otherSize.Value));
    }
}
