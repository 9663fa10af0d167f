using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>Symbolic links that are followed to directories, and the detection of cycles.</summary>
internal static class FollowedLinks
{
    /// <summary>Whether a directory's name may be that of a link to it.</summary>
    public static bool MayBe(CloneOptions options, DirectoryPair pair) =>
        pair.IsFound ? options.Links == LinkMode.FollowAll : options.Links != LinkMode.Keep && pair.IsItem;

    /// <summary>
    /// Why an open source directory is not to be entered, or null: it is already on the path, or it is one of the directories being
    /// created on that path, and would keep growing.
    /// </summary>
    public static ErrorMeaning? WhyNot(DirectoryPair pair)
    {
        for (DirectoryPair? above = pair.Parent; above is { Parent: not null }; above = above.Parent)
        {
            if (above.SourceStatus.IsSameFileAs(pair.SourceStatus))
            {
                return BtrfsError.LinkCycle;
            }

            if (above.DestinationStatus.IsSameFileAs(pair.SourceStatus))
            {
                return BtrfsError.DestinationInsideSource;
            }
        }

        return null;
    }
}
