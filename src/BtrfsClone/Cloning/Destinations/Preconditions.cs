using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>The checks that are made before anything is written.</summary>
internal static class Preconditions
{
    /// <summary>
    /// Whether a directory is another one or is below it, as the kernel sees them. If this cannot be determined, the answer is no:
    /// the walk does not enter the directory that it clones to, either.
    /// </summary>
    public static bool IsAtOrBelow(string directory, in Statx ancestor) => IsAtOrBelow(new LookupPath(directory), ancestor);

    /// <summary>As above, for a directory that may be open.</summary>
    public static bool IsAtOrBelow(LookupPath directory, in Statx ancestor)
    {
        CallResult result = directory.Open(OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor opened);
        var at = new HeldDirectory(opened, "");
        Statx below = default;
        while (!result.Failed)
        {
            using HeldDirectory current = at;
            if (current.Stat(out Statx status).Failed || status.IsSameFileAs(below))
            {
                return false; // The parent of the root is the root.
            }

            if (status.IsSameFileAs(ancestor))
            {
                return true;
            }

            below = status;
            result = current.OpenAbove(out HeldDirectory? above);
            at = above!;
        }

        return false;
    }

    /// <summary>Why an existing destination may not be replaced by a file, or null.</summary>
    /// <param name="old">The existing destination.</param>
    /// <param name="type">The type of the replacement, one of <see cref="Statx.FileType"/>.</param>
    /// <param name="options">The options of the invocation.</param>
    public static ErrorMeaning? WhyNotReplaceable(in Statx old, uint type, CloneOptions options)
    {
        if (old.FileType == Sys.ModeDirectory)
        {
            return ErrorMeaning.OtherTypeInTheWay;
        }

        if (options.NoClobber)
        {
            return ErrorMeaning.KeptAsAsked;
        }

        // A user who names a device or a FIFO expects the data to be written to it, which is not done here.
        if (old.FileType is not (Sys.ModeRegular or Sys.ModeSymlink) && old.FileType != type && !options.Force)
        {
            return ErrorMeaning.SpecialInTheWay;
        }

        bool readOnly = old.FileType == Sys.ModeRegular && (old.Mode & Sys.ModeAnyWrite) == 0;
        return readOnly && !options.Force ? BtrfsError.DestinationReadOnly : null;
    }
}
