using System.Text;

namespace BtrfsClone.Interop;

/// <summary>/proc/self/mountinfo (proc(5)): where something is mounted. Paths are bytes, held as Latin-1 text.</summary>
internal static class MountTable
{
    private const int MountPointField = 4;

    /// <summary>Every mount point as it is seen from the process's root; none where proc cannot be read.</summary>
    public static List<string> Read()
    {
        var points = new List<string>();
        try
        {
            foreach (string line in File.ReadLines("/proc/self/mountinfo", Encoding.Latin1))
            {
                string[] fields = line.Split(' ', MountPointField + 2);
                if (fields.Length > MountPointField)
                {
                    points.Add(Unescape(fields[MountPointField]));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A host without proc: whatever is mounted there remains unseen.
        }

        return points;
    }

    /// <summary>Space, tab, newline and backslash are written as a backslash and three octal digits.</summary>
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
