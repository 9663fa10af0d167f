using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Reads the properties of two open directories that matter for their entries, and those that the destination is to get.</summary>
internal static unsafe class DirectoryTraits
{
    /// <summary>Reads both statuses, and what new entries of the destination inherit.</summary>
    public static Failure ReadTop(WorkerBuffers buffers, DirectoryPair pair)
    {
        Failure failure = ReadStatuses(pair);
        return failure.Failed ? failure : ReadOfDestination(buffers, pair);
    }

    /// <summary>Reads both statuses.</summary>
    public static Failure ReadStatuses(DirectoryPair pair)
    {
        CallResult result = Sys.Stat(pair.Source, out pair.SourceStatus);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.Statx, result);
        }

        result = Sys.Stat(pair.Destination, out pair.DestinationStatus);
        return result.Failed ? Failure.Destination(SystemCall.Statx, result) : default;
    }

    /// <summary>As <see cref="ReadTop"/>, and the source's flags, which the destination is to get.</summary>
    public static Failure ReadPair(WorkerBuffers buffers, DirectoryPair pair)
    {
        Failure failure = ReadTop(buffers, pair);
        return failure.Failed ? failure : ReadSourceFlags(pair);
    }

    /// <summary>As <see cref="ReadPair"/>, if the statuses are known.</summary>
    public static Failure Read(WorkerBuffers buffers, DirectoryPair pair)
    {
        Failure failure = ReadOfDestination(buffers, pair);
        return failure.Failed ? failure : ReadSourceFlags(pair);
    }

    /// <summary>Reads the flags that the destination is to get.</summary>
    public static Failure ReadSourceFlags(DirectoryPair pair)
    {
        CallResult result = Sys.GetFlags(pair.Source, out InodeFlags flags);
        pair.SourceFlags = flags;
        return result.Failed ? Failure.Source(SystemCall.GetFlags, result) : default;
    }

    /// <summary>Reads what new entries of the destination, whose status is known, inherit.</summary>
    public static Failure ReadOfDestination(WorkerBuffers buffers, DirectoryPair pair)
    {
        CallResult result = Sys.GetFlags(pair.Destination, out InodeFlags flags);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.GetFlags, result);
        }

        pair.DestinationFlags = flags;
        pair.InheritedFlags = flags & InodeFlags.Inherited;
        pair.IsAppendOnly = flags.HasFlag(InodeFlags.AppendOnly);
        CallResult names = Sys.ListXattr(pair.Destination, buffers.XattrNames);
        int nameBytes = (int)names.Value;
        pair.HasXattrs = nameBytes > 0 || (names.Failed && !names.Is(Errno.EOPNOTSUPP));
        pair.IsForeign = pair.DestinationStatus.Uid != Sys.EffectiveUid && pair.DestinationStatus.Uid != 0;
        pair.InheritsXattrs = pair.IsForeign ||
            (nameBytes > 0 && Xattrs.AreInherited(buffers.XattrNames, nameBytes));
        return default;
    }
}
