using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>Pairs by their path, as names, from the pair of top directories.</summary>
internal static unsafe class PairPath
{
    /// <summary>The names of the path, each null-terminated.</summary>
    public static byte[][] Of(SyncPair pair)
    {
        var names = new List<byte[]>();
        for (DirectoryPair at = pair; at.Parent is SyncPair parent; at = parent)
        {
            names.Add([.. Utf8Z.Span(at.Name), 0]);
        }

        names.Reverse();
        return [.. names];
    }

    /// <summary>
    /// Opens a pair that exists on both sides, without following symbolic links. The returned pair has its names, whether or not it
    /// could be opened.
    /// </summary>
    public static Failure Open(SyncWorker worker, SyncPair top, byte[][] names, out SyncPair pair)
    {
        pair = top;
        foreach (byte[] name in names)
        {
            pair = new SyncPair(pair, name, name) { Merged = true };
        }

        if (names.Length == 0)
        {
            // It may have been finished by now, and have other flags.
            top.Renew();
            return DirectoryTraits.ReadPair(worker.Cloning, top);
        }

        Failure failure = Open(top.Source, names, atSource: true, out Descriptor source);
        pair.Source = source;
        if (!failure.Failed)
        {
            failure = Open(top.Destination, names, atSource: false, out Descriptor destination);
            pair.Destination = destination;
        }

        failure = failure.Failed ? failure : DirectoryTraits.ReadStatuses(pair);
        if (failure.Failed)
        {
            pair.Close();
        }

        return failure;
    }

    /// <summary>Opens the destination directory of a pair, without following symbolic links, and reads its status.</summary>
    /// <param name="top">An open parent pair.</param>
    /// <param name="pair">The pair.</param>
    public static Failure OpenBelow(SyncPair top, SyncPair pair)
    {
        var names = new List<byte[]>();
        for (DirectoryPair at = pair; at != top; at = at.Parent!)
        {
            names.Insert(0, at.DestinationName);
        }

        Failure failure = Open(top.Destination, [.. names], atSource: false, out Descriptor directory);
        pair.Destination = directory;
        if (failure.Failed)
        {
            return failure;
        }

        CallResult result = Sys.Stat(directory, out pair.DestinationStatus);
        return result.Failed ? Failure.Destination(SystemCall.Statx, result) : default;
    }

    private static Failure Open(Descriptor top, byte[][] names, bool atSource, out Descriptor directory)
    {
        CallResult opened = OpenAtOnce(top, names, out directory);
        if (!opened.Failed)
        {
            return default;
        }

        // One name at a time: to get the reason for a failure, if the kernel offers no other way, and if the path is too long.
        directory = top;
        for (int i = 0; i < names.Length; i++)
        {
            using var passed = new DescriptorScope(i == 0 ? Descriptor.None : directory);
            int access = i == names.Length - 1 ? OpenFlags.ReadOnly | OpenFlags.NonBlock : OpenFlags.PathOnly;
            fixed (byte* name = names[i])
            {
                CallResult result = Sys.OpenAt(
                    directory, name, access | OpenFlags.Directory | OpenFlags.NoFollow, out directory);
                if (result.Failed)
                {
                    return atSource ? Failure.Source(SystemCall.OpenAt, result) : Failure.Destination(SystemCall.OpenAt, result);
                }
            }
        }

        return default;
    }

    private static CallResult OpenAtOnce(Descriptor top, byte[][] names, out Descriptor directory)
    {
        directory = Descriptor.None;
        int length = names.Sum(name => name.Length);
        if (length > Sys.PathMax)
        {
            return Errno.ENAMETOOLONG;
        }

        byte* path = stackalloc byte[length];
        byte* end = path;
        foreach (byte[] name in names)
        {
            name.CopyTo(new Span<byte>(end, name.Length));
            end += name.Length;
            end[-1] = (byte)'/';
        }

        end[-1] = 0;
        return Sys.OpenPath(top, path, OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.Directory | OpenFlags.NoFollow, out directory);
    }
}
