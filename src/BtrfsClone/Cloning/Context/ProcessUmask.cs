using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>The process's umask, read without changing it: umask(2) can only set it, for all threads at once.</summary>
internal static class ProcessUmask
{
    /// <summary>
    /// Reads it from /proc/self/status. If it is not available, every bit is treated as masked: slower, but always correct.
    /// </summary>
    public static uint Read()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/status"))
            {
                if (line.StartsWith("Umask:", StringComparison.Ordinal))
                {
                    return Convert.ToUInt32(line["Umask:".Length..].Trim(), 8) & Sys.ModeAccess;
                }
            }
        }
        catch (IOException)
        {
        }
        catch (UnauthorizedAccessException)
        {
        }

        return Sys.ModeAccess;
    }
}
