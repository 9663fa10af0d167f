using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Keeps a walk out of other filesystems that are not to be entered, or that contain nothing to clone.</summary>
internal static class MountCheck
{
    /// <summary>Whether another filesystem may be mounted on a directory that a walk has found.</summary>
    public static bool MayBeMount(DirectoryPair pair) =>
        pair.SourceStatus.Device != pair.Parent!.SourceStatus.Device || IsHidden(pair);

    /// <summary>Checks what is mounted there. A directory that is to stay empty is marked as listed.</summary>
    public static Failure Look(CloneContext context, DirectoryPair pair)
    {
        OtherFileSystem mounted;
        if (IsHidden(pair))
        {
            CallResult result = DirectoryByNames.OpenSource(pair, out Descriptor live);
            using var closing = new DescriptorScope(live);
            Statx status = default;
            result = result.Failed ? result : Sys.Stat(live, out status);
            if (result.Failed)
            {
                return Failure.Source(SystemCall.OpenAt, result);
            }

            mounted = On(pair.Parent!, live, status);
        }
        else
        {
            mounted = On(pair.Parent!, pair.Source, pair.SourceStatus);
        }

        CloneOptions options = context.Options;
        if (mounted == OtherFileSystem.None ||
            (mounted == OtherFileSystem.Storage && !options.OneFileSystem && (options.PointInTime || options.Reflink == ReflinkMode.Auto)))
        {
            return default;
        }

        if (mounted == OtherFileSystem.Storage && !options.OneFileSystem)
        {
            return Failure.Refused(ErrorMeaning.OtherFileSystemMounted, atSource: true);
        }

        context.TellPassedOver(pair.SourcePath, mounted);
        pair.Work.GiveUp();
        return default;
    }

    /// <summary>The snapshot contains the directory that the mount hides.</summary>
    private static bool IsHidden(DirectoryPair pair) =>
        pair.Parent!.Mounts is { } mounts && mounts.Contains(Utf8Z.Span(pair.Name));

    private static OtherFileSystem On(DirectoryPair parent, Descriptor directory, in Statx status) =>
        OtherFileSystems.On(parent.Source, parent.SourceStatus, directory, status);
}
