using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>The space preallocated beyond a file's end, which FICLONE omits.</summary>
internal static class Preallocation
{
    /// <summary>Preallocates in one file what is preallocated in another from an offset on.</summary>
    public static Failure CopyBeyond(FiemapReader reader, Descriptor source, Descriptor destination, long start)
    {
        reader.Start(source, "", from: start);
        CallResult result;
        while ((result = reader.TryMapOn(long.MaxValue, out bool isMore)).Succeeded && isMore)
        {
            foreach (ref readonly FiemapExtent extent in reader.Extents)
            {
                long begin = Math.Max((long)extent.Logical, start);
                long length = (long)(extent.Logical + extent.Length) - begin;
                if (length > 0 && extent.Flags.HasFlag(FiemapExtentFlags.Unwritten))
                {
                    result = Sys.Preallocate(destination, begin, length);
                    if (result.Failed)
                    {
                        return Failure.Destination(SystemCall.Fallocate, result);
                    }
                }
            }
        }

        // If a filesystem does not report it, there is nothing to preserve.
        return result.Succeeded || result.Error is Errno.EOPNOTSUPP or Errno.ENOTTY
            ? default
            : Failure.Source(SystemCall.Fiemap, result);
    }
}
