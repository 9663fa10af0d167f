using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>A subvolume that is an entry in a directory of another one.</summary>
/// <param name="Tree">The id of its tree.</param>
/// <param name="Path">Its path from the root of the other one.</param>
internal readonly record struct NestedSubvolume(ulong Tree, byte[] Path)
{
    public bool IsStillIn(IReadOnlyDictionary<ulong, byte[]> nested) =>
        nested.TryGetValue(Tree, out byte[]? path) && path.AsSpan().SequenceEqual(Path);
}

/// <summary>The subvolumes that are entries in directories of another one.</summary>
internal static unsafe class NestedSubvolumes
{
    /// <summary>Adds those of a subvolume, whose open root is given. Fails if the names of some or all of them could not be read.</summary>
    public static Failure List(Descriptor subvolume, List<NestedSubvolume> nested)
    {
        SubvolumeReferences references = default;
        Failure failure = default;
        bool isMore;
        do
        {
            CallResult result = Sys.ListSubvolumes(subvolume, &references);
            isMore = result.Is(Errno.EOVERFLOW);
            if (result.Failed && !isMore)
            {
                return Failure.Source(SystemCall.GetSubvolRootRef, result);
            }

            for (int i = 0; i < references.Count; i++)
            {
                CallResult named = Add(subvolume, references[i], nested);
                failure = named.Failed ? Failure.Source(SystemCall.InoLookupUser, named) : failure;
            }
        }
        while (isMore);
        return failure;
    }

    /// <summary>Opens a directory by its path below an open one, without following symbolic links.</summary>
    public static CallResult Open(HeldDirectory top, ReadOnlySpan<byte> path, out HeldDirectory? directory)
    {
        HeldDirectory at = top;
        CallResult result;
        bool isLast;
        do
        {
            int end = path.IndexOf((byte)'/');
            isLast = end < 0;
            ReadOnlySpan<byte> name = isLast ? path : path[..end];
            result = at.OpenBelow([.. name.IsEmpty ? "."u8 : name, 0], out directory, orPathOnly: !isLast);
            if (at != top)
            {
                at.Dispose();
            }

            at = directory!;
            path = path[(end + 1)..];
        }
        while (!isLast && result.Succeeded);
        return result;
    }

    /// <summary>Finds the empty directory that a snapshot contains instead of a nested subvolume.</summary>
    /// <param name="snapshot">The snapshot's root.</param>
    /// <param name="path">The nested subvolume's path.</param>
    /// <param name="parent">The directory that contains it, open; null if there is none.</param>
    public static Failure FindPlace(HeldDirectory snapshot, ReadOnlySpan<byte> path, out HeldDirectory? parent)
    {
        SystemCall call = SystemCall.OpenAt;
        CallResult result = Open(snapshot, ParentOf(path), out parent);
        Statx status = default;
        if (result.Succeeded)
        {
            call = SystemCall.Statx;
            result = parent!.Stat(NameOf(path), out status);
        }

        if (result.Failed || status.Inode != Sys.EmptySubvolumeInode)
        {
            parent?.Dispose();
            parent = null;
        }

        // If it is not there, it was created or moved there after the snapshot was taken.
        return result.Error is Errno.None or Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP
            ? default
            : Failure.Destination(call, result);
    }

    /// <summary>The last component of a path, null-terminated.</summary>
    public static byte[] NameOf(ReadOnlySpan<byte> path) => [.. path[(path.LastIndexOf((byte)'/') + 1)..], 0];

    /// <summary>The path without its last component; empty if there is only one.</summary>
    public static ReadOnlySpan<byte> ParentOf(ReadOnlySpan<byte> path) => path[..Math.Max(path.LastIndexOf((byte)'/'), 0)];

    private static CallResult Add(Descriptor subvolume, (ulong Id, ulong Directory) reference, List<NestedSubvolume> nested)
    {
        SubvolumeName name = new() { Id = reference.Id, Directory = reference.Directory };
        CallResult result = Sys.FindSubvolume(subvolume, &name);
        if (!result.Failed)
        {
            nested.Add(new NestedSubvolume(reference.Id, [.. Utf8Z.Span(name.Path), .. Utf8Z.Span(name.Name)]));
        }

        return result.Is(Errno.ENOENT) ? CallResult.Success : result; // It was removed in the meantime.
    }
}
