using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>Removes entries of the destination, of any type, and the flags that protect them.</summary>
internal sealed unsafe class EntryRemover(SyncRun run)
{
    // STATX_ATTR_IMMUTABLE and STATX_ATTR_APPEND (linux/stat.h).
    private const ulong ProtectedAttributes = 0x10 | 0x20;

    /// <summary>A name that no one else uses, null-terminated.</summary>
    public static byte[] NewHiddenName() => Utf8Z.From($".btrfs-clone.{Random.Shared.NextInt64():x16}");

    /// <summary>
    /// Makes the entries of a directory changeable if a flag forbids it. The flags are set again with the directory's metadata.
    /// </summary>
    public static Failure Open(SyncPair pair)
    {
        if (!pair.IsTouched && (pair.DestinationStatus.Attributes & ProtectedAttributes) != 0)
        {
            CallResult result = Sys.SetLateFlags(pair.Destination, InodeFlags.None);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.FsSetXattr, result);
            }

            pair.IsAppendOnly = false;
        }

        pair.Touch();
        return default;
    }

    /// <summary>Makes it possible to rename over an entry or remove it.</summary>
    public static Failure Unprotect(SyncPair pair, byte* name, in Statx old)
    {
        Failure failure = Open(pair);
        if (failure.Failed || (old.Attributes & ProtectedAttributes) == 0)
        {
            return failure;
        }

        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock;
        CallResult result = Sys.OpenAt(pair.Destination, name, flags, out Descriptor entry);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, result);
        }

        using var scope = new DescriptorScope(entry);
        result = Sys.SetLateFlags(entry, InodeFlags.None);
        return result.Failed ? Failure.Destination(SystemCall.FsSetXattr, result) : default;
    }

    /// <summary>Renames an entry to a hidden name.</summary>
    public Failure Hide(SyncPair pair, byte* name, byte[] hidden, in Statx old)
    {
        Failure failure = Unprotect(pair, name, old);
        if (failure.Failed)
        {
            return failure;
        }

        fixed (byte* to = hidden)
        {
            CallResult result = Sys.RenameNoReplace(pair.Destination, name, pair.Destination, to);
            return result.Failed ? Failure.Destination(SystemCall.RenameAt2, result) : default;
        }
    }

    /// <summary>Renames a hidden entry back, and returns the original failure.</summary>
    public Failure BringBack(SyncPair pair, byte[] hidden, byte* name, Failure why)
    {
        fixed (byte* from = hidden)
        {
            CallResult result = Sys.RenameNoReplace(pair.Destination, from, pair.Destination, name);
            if (result.Failed)
            {
                // The entry now has another name, so the failure is reported under that.
                run.Context.Report(Failure.Destination(SystemCall.RenameAt2, result), pair, Utf8Z.Span(hidden));
            }
        }

        return why;
    }

    /// <summary>Removes an entry with everything below it.</summary>
    public Failure Remove(SyncPair pair, byte[] name, bool isCounted)
    {
        fixed (byte* text = name)
        {
            CallResult result = Sys.StatEntry(pair.Destination, text, out Statx status);
            if (result.Failed)
            {
                return result.Is(Errno.ENOENT) ? default : Failure.Destination(SystemCall.Statx, result);
            }

            Failure failure = Unprotect(pair, text, status);
            if (failure.Failed)
            {
                return failure;
            }

            failure = status.FileType == Sys.ModeDirectory
                ? RemoveDirectory(pair, text)
                : Removed(Sys.Unlink(pair.Destination, text));
            if (isCounted && !failure.Failed)
            {
                run.Add(SyncAction.Delete, pair, Utf8Z.Span(name), EntryKinds.Of(status.FileType));
            }

            return failure;
        }
    }

    private static Failure Removed(CallResult result) =>
        result.Failed ? Failure.Destination(SystemCall.UnlinkAt, result) : default;

    private static Failure RemoveDirectory(SyncPair pair, byte* name)
    {
        CallResult result = Sys.RemoveDirectory(pair.Destination, name);
        if (!result.Is(Errno.ENOTEMPTY))
        {
            return Removed(result);
        }

        int flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock;
        result = Sys.OpenAt(pair.Destination, name, flags, out Descriptor directory);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.OpenAt, result);
        }

        using var held = new HeldDirectory(directory, "");
        Failure failure = TreeRemover.Empty(held);
        return failure.Failed ? failure : Removed(Sys.RemoveDirectory(pair.Destination, name));
    }
}
