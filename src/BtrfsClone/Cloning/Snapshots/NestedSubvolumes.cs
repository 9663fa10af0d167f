using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>A subvolume that is an entry of one of another one's directories.</summary>
/// <param name="Tree">The number of its tree.</param>
/// <param name="Path">Its path from the other one's root.</param>
internal readonly record struct NestedSubvolume(ulong Tree, byte[] Path)
{
    public bool IsStillIn(IReadOnlyDictionary<ulong, byte[]> nested) =>
        nested.TryGetValue(Tree, out byte[]? path) && path.AsSpan().SequenceEqual(Path);
}

/// <summary>The subvolumes that are entries of another one's directories.</summary>
internal static unsafe class NestedSubvolumes
{
    /// <summary>
    /// Adds those of a subvolume, whose open root is given. Where some could not be named, or all, the result is a failure.
    /// </summary>
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

    /// <summary>Opens a directory by its path below an open one, through no symbolic link.</summary>
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

    /// <summary>Finds the empty directory that a snapshot has in the place of a nested subvolume.</summary>
    /// <param name="snapshot">The snapshot's root.</param>
    /// <param name="path">The nested subvolume's path.</param>
    /// <param name="parent">The directory that it is in, open; null where there is none.</param>
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

        // It was made or moved there after the snapshot was taken, if it is not there.
        return result.Error is Errno.None or Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP
            ? default
            : Failure.Destination(call, result);
    }

    /// <summary>The last name of a path, zero-terminated.</summary>
    public static byte[] NameOf(ReadOnlySpan<byte> path) => [.. path[(path.LastIndexOf((byte)'/') + 1)..], 0];

    /// <summary>The path without its last name; empty where there is one name only.</summary>
    public static ReadOnlySpan<byte> ParentOf(ReadOnlySpan<byte> path) => path[..Math.Max(path.LastIndexOf((byte)'/'), 0)];

    private static CallResult Add(Descriptor subvolume, (ulong Id, ulong Directory) reference, List<NestedSubvolume> nested)
    {
        SubvolumeName name = new() { Id = reference.Id, Directory = reference.Directory };
        CallResult result = Sys.FindSubvolume(subvolume, &name);
        if (!result.Failed)
        {
            nested.Add(new NestedSubvolume(reference.Id, [.. Utf8Z.Span(name.Path), .. Utf8Z.Span(name.Name)]));
        }

        return result.Is(Errno.ENOENT) ? CallResult.Success : result; // It was removed meanwhile.
    }
}
