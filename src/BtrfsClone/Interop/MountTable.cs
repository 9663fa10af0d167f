using System.Text;

namespace BtrfsClone.Interop;

/// <summary>A mount. Paths are bytes, stored as Latin-1 text.</summary>
/// <param name="Id">Its id, which statx(2) also returns.</param>
/// <param name="Device">The filesystem's device number: equal for all mounts of one filesystem.</param>
/// <param name="Root">What is mounted: a path from the filesystem's top level.</param>
/// <param name="Point">The mount point, as seen from the process's root.</param>
internal readonly record struct Mount(ulong Id, string Device, string Root, string Point);

/// <summary>/proc/self/mountinfo (proc(5)): what is mounted, and where.</summary>
internal static class MountTable
{
    private const int MountPointField = 4;

    /// <summary>All mounts, a later one on top of an earlier one; null if proc cannot be read.</summary>
    public static List<Mount>? Read()
    {
        var mounts = new List<Mount>();
        try
        {
            foreach (string line in File.ReadLines("/proc/self/mountinfo", Encoding.Latin1))
            {
                string[] fields = line.Split(' ', MountPointField + 2);
                if (fields.Length > MountPointField && ulong.TryParse(fields[0], out ulong id))
                {
                    mounts.Add(new Mount(id, fields[2], Unescape(fields[3]), Unescape(fields[MountPointField])));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return mounts;
    }

    /// <summary>Space, tab, newline and backslash are escaped as a backslash and three octal digits.</summary>
    internal static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            bool escaped = field[i] == '\\' && i + 3 < field.Length && field[i + 1] is >= '0' and <= '3' &&
                field[i + 2] is >= '0' and <= '7' && field[i + 3] is >= '0' and <= '7';
            text.Append(escaped ? (char)Convert.ToInt32(field.Substring(i + 1, 3), 8) : field[i]);
            i += escaped ? 3 : 0;
        }

        return text.ToString();
    }
}
