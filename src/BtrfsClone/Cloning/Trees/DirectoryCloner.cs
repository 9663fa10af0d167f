using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Opens a directory and creates or opens its destination; finishes it once its entries exist.</summary>
/// <param name="context">The context of the invocation.</param>
/// <param name="snapshots">The snapshots that sources are read from, or null if they are read directly.</param>
internal sealed unsafe class DirectoryCloner(CloneContext context, PointInTime? snapshots)
{
    private readonly Metadata _metadata = new(context);
    private readonly Xattrs _xattrs = new(context);

    /// <summary>Opens an existing directory that contains items; the one that they are cloned to is open.</summary>
    /// <param name="buffers">The worker's buffers.</param>
    /// <param name="pair">Both directories.</param>
    /// <param name="orPathOnly">
    /// If the directory may be searched but not listed, entries that are given by name can still be cloned.
    /// </param>
    public static Failure OpenTop(WorkerBuffers buffers, DirectoryPair pair, bool orPathOnly)
    {
        CallResult result = HeldDirectory.Open(pair.SourcePath, out HeldDirectory? source, orPathOnly);
        pair.Source = source?.Release() ?? Descriptor.None;
        return result.Failed ? Failure.Source(SystemCall.OpenAt, result) : DirectoryTraits.ReadTop(buffers, pair);
    }

    /// <summary>Opens a directory below its parent's pair and creates its destination, or uses an existing one.</summary>
    /// <param name="buffers">The worker's buffers.</param>
    /// <param name="pair">The directory.</param>
    /// <param name="topDestination">
    /// The directory that the item is cloned to: if it is found below its source, it is not entered. By default there is none.
    /// </param>
    public Failure Open(WorkerBuffers buffers, DirectoryPair pair, in Statx topDestination = default)
    {
        Failure failure = OpenOtherSource(pair, topDestination);
        failure = failure.Failed ? failure : DirectoryTraits.ReadSourceFlags(pair);
        return Opened(pair, failure.Failed ? failure : OpenDestination(buffers, pair));
    }

    /// <summary>
    /// As <see cref="Open"/>, for an existing destination: otherwise ENOENT, or another error of openat(2).
    /// <see cref="DirectoryTraits.Read"/> is left to the caller.
    /// </summary>
    public Failure OpenExisting(DirectoryPair pair, in Statx topDestination)
    {
        Failure failure = OpenOtherSource(pair, topDestination);
        if (!failure.Failed)
        {
            fixed (byte* name = pair.DestinationName)
            {
                CallResult result = OpenDestination(pair, name);
                failure = result.Failed ? Failure.Destination(SystemCall.OpenAt, result) : default;
            }
        }

        failure = failure.Failed ? failure : ReadDestination(pair);
        if (!failure.Failed)
        {
            pair.Merged = true;
            ReadOrigin(pair);
        }

        return Opened(pair, failure);
    }

    /// <summary>Gives the destination its metadata, after its last entry.</summary>
    public Failure Finish(WorkerBuffers buffers, DirectoryPair pair)
    {
        CallResult names = Sys.ListXattr(pair.Source, buffers.XattrNames);
        if (names.Failed && !names.Is(Errno.EOPNOTSUPP))
        {
            return Failure.Source(SystemCall.ListXattr, names);
        }

        InodeFlags flags = context.Storage.Of(pair.SourceFlags, pair.InheritedFlags);
        bool mayHaveXattrs = pair.HasXattrs || pair.IsForeign || flags.HasFlag(InodeFlags.DirectorySync);
        if (((flags ^ pair.InheritedFlags) & InodeFlags.Inherited) != 0)
        {
            mayHaveXattrs = true; // The kernel stores the compression in an xattr.
            Failure failure = FileContent.SetEarlyFlags(context, pair.Destination, flags);
            if (failure.Failed)
            {
                return failure;
            }
        }

        var before = new Metadata.Before(
            pair.DestinationStatus.Uid, pair.DestinationStatus.Gid, pair.DestinationStatus.Permissions,
            MayHaveXattrs: pair.Merged && mayHaveXattrs);
        return _metadata.ApplyTo(
            buffers, pair.Source, pair.Destination, pair.SourceStatus, flags, before, (int)names.Value);
    }

    /// <summary>Opens a source directory below its parent's, and reads what is needed to clone it.</summary>
    public Failure OpenSource(DirectoryPair pair)
    {
        Failure failure = OpenWithoutFlags(pair);
        return failure.Failed ? failure : DirectoryTraits.ReadSourceFlags(pair);
    }

    private Failure Opened(DirectoryPair pair, Failure failure)
    {
        if (failure.Failed)
        {
            pair.Close();
        }
        else
        {
            context.Counters.AddDirectory();
            if (!pair.Merged)
            {
                context.TellCloned(pair);
            }
        }

        return failure;
    }

    private Failure OpenOtherSource(DirectoryPair pair, in Statx topDestination)
    {
        Failure failure = OpenWithoutFlags(pair);
        bool isDestination = !failure.Failed && (snapshots?.IsSeenIn(pair.SourceStatus, topDestination)
            ?? pair.SourceStatus.IsSameFileAs(topDestination));
        return isDestination ? Failure.Refused(BtrfsError.DestinationInsideSource, atSource: true) : failure;
    }

    private Failure OpenWithoutFlags(DirectoryPair pair)
    {
        CallResult result = OpenDirectory.Below(pair.Parent!.Source, pair.Name, out Descriptor source);
        if (result.Error is Errno.ENOTDIR or Errno.ELOOP && FollowedLinks.MayBe(context.Options, pair))
        {
            result = OpenDirectory.Through(pair.Parent.Source, pair.Name, out source);
            pair.IsFollowedLink = result.Succeeded;
        }

        pair.Source = source;
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        result = Sys.Stat(pair.Source, out pair.SourceStatus);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.Statx, result);
        }

        if (context.Options.Links == LinkMode.FollowAll && FollowedLinks.WhyNot(pair) is { } reason)
        {
            return Failure.Refused(reason, atSource: true);
        }

        if (pair.IsFound && MountCheck.MayBeMount(pair))
        {
            Failure refused = MountCheck.Look(context, pair);
            if (refused.Failed || pair.Work.IsListed)
            {
                return refused;
            }
        }

        return snapshots?.Enter(pair) ?? default;
    }

    private Failure OpenDestination(WorkerBuffers buffers, DirectoryPair pair)
    {
        DirectoryPair parent = pair.Parent!;
        fixed (byte* name = pair.DestinationName)
        {
            uint permissions = pair.SourceStatus.Permissions;
            bool isRightAtOnce = context.MayBeRightAtOnce(parent, pair.SourceStatus) &&
                (permissions & Sys.ModeOthersWrite) == 0 && (permissions & Sys.ModeOwner) == Sys.ModeOwner;
            CallResult made = Sys.MakeDirectory(parent.Destination, name, isRightAtOnce ? permissions : Sys.ModeOwner);
            pair.Merged = made.Is(Errno.EEXIST);
            if (made.Failed && !pair.Merged)
            {
                return Failure.Destination(SystemCall.MkdirAt, made);
            }

            Failure failure = OpenMade(buffers, pair, name);
            if (failure.Failed && !made.Failed)
            {
                context.RemoveMadeDirectory(parent, name);
            }

            return failure;
        }
    }

    private Failure OpenMade(WorkerBuffers buffers, DirectoryPair pair, byte* name)
    {
        DirectoryPair parent = pair.Parent!;
        CallResult opened = OpenDestination(pair, name);
        if (opened.Failed)
        {
            return opened.Error is Errno.ENOTDIR or Errno.ELOOP && pair.Merged
                ? Failure.Refused(WhyNotMerged(parent, name))
                : Failure.Destination(SystemCall.OpenAt, opened);
        }

        Failure failure = ReadDestination(pair);
        if (failure.Failed)
        {
            return failure;
        }

        // The new directory was replaced by one that another user owns or may write to.
        pair.Merged |= pair.DestinationStatus.Uid != context.Uid ||
            (pair.DestinationStatus.Permissions & Sys.ModeOthersWrite) != 0;
        if (!pair.Merged && (context.Umask & Sys.ModeOwner) != 0)
        {
            CallResult result = Sys.Chmod(pair.Destination, Sys.ModeOwner);
            result = result.Failed ? result : Sys.Stat(pair.Destination, out pair.DestinationStatus);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.Fchmod, result);
            }
        }

        if (pair.Merged)
        {
            ReadOrigin(pair);
        }
        else
        {
            context.Created.Add(parent, pair.DestinationStatus.Inode);
        }

        if (pair.Merged || parent.InheritsXattrs)
        {
            failure = DirectoryTraits.ReadOfDestination(buffers, pair);
            return failure.Failed || pair.Merged ? failure : StripInherited(buffers, pair);
        }

        pair.InheritedFlags = parent.InheritedFlags;
        return MatchNoCow(pair);
    }

    private static CallResult OpenDestination(DirectoryPair pair, byte* name)
    {
        CallResult opened = Sys.OpenAt(
            pair.Parent!.Destination, name,
            OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock, out Descriptor destination);
        pair.Destination = destination;
        return opened;
    }

    private static Failure ReadDestination(DirectoryPair pair)
    {
        CallResult result = Sys.Stat(pair.Destination, out pair.DestinationStatus);
        return result.Failed ? Failure.Destination(SystemCall.Statx, result) : default;
    }

    private void ReadOrigin(DirectoryPair pair)
    {
        pair.IsOfEarlierItem = pair.Parent!.IsOfEarlierItem || context.Created.Contains(pair.DestinationStatus);
        pair.RecordsEntries = !pair.IsOfEarlierItem;
    }

    private ErrorMeaning WhyNotMerged(DirectoryPair parent, byte* name) =>
        parent.IsOfEarlierItem ||
        (Sys.StatEntry(parent.Destination, name, out Statx existing).Succeeded && context.Created.Contains(existing))
            ? BtrfsError.JustCreated
            : ErrorMeaning.OtherTypeInTheWay;

    /// <summary>Removes from a new directory what it has inherited from its parent, so that its entries do not inherit it.</summary>
    private Failure StripInherited(WorkerBuffers buffers, DirectoryPair pair)
    {
        var holder = new XattrHolder(pair.Destination);
        uint permissions = 0; // Nothing is set, so the returned permissions are not needed.
        Failure failure = _xattrs.Copy(buffers, holder, holder, 0, exact: true, ref permissions);
        pair.InheritsXattrs = false;
        return failure.Failed ? failure : MatchNoCow(pair);
    }

    /// <summary>
    /// A new directory is NOCOW like its source from the start, since its files mostly are too and inherit it; compression is set
    /// at the end, since files would inherit its xattr, unless that is intended.
    /// </summary>
    private Failure MatchNoCow(DirectoryPair pair)
    {
        InodeFlags wanted = context.Storage.Of(pair.SourceFlags, pair.InheritedFlags) &
            (InodeFlags.NoCow | context.Storage.Inherited);
        if (pair.InheritedFlags == wanted)
        {
            return default;
        }

        CallResult result = FileContent.SetEarlyFlags(pair.Destination, wanted, out InodeFlags lost);
        pair.InheritedFlags = result.Failed || lost != InodeFlags.None ? pair.InheritedFlags : wanted;
        return result.Failed ? Failure.Destination(SystemCall.SetFlags, result) : default;
    }
}
