using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>What is refused before anything is written.</summary>
internal static class Preconditions
{
    /// <summary>
    /// Whether a directory is another one or lies below it, as the kernel sees them. Where that cannot be seen it is
    /// not taken to be: the walk does not enter the directory that it clones into, either.
    /// </summary>
    public static bool IsAtOrBelow(string directory, in Statx ancestor) => IsAtOrBelow(new LookupPath(directory), ancestor);

    /// <summary>As above, of a directory that may be open.</summary>
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
                return false; // Above the root is the root.
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

    /// <summary>Why what stands at the destination may not be replaced by a file, or null.</summary>
    /// <param name="old">What stands there.</param>
    /// <param name="type">The type of what would take its place, one of <see cref="Statx.FileType"/>.</param>
    /// <param name="options">What was asked for.</param>
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

        // Who names a device or a FIFO means to write to it, which this does not do.
        if (old.FileType is not (Sys.ModeRegular or Sys.ModeSymlink) && old.FileType != type && !options.Force)
        {
            return ErrorMeaning.SpecialInTheWay;
        }

        bool readOnly = old.FileType == Sys.ModeRegular && (old.Mode & Sys.ModeAnyWrite) == 0;
        return readOnly && !options.Force ? BtrfsError.DestinationReadOnly : null;
    }
}
