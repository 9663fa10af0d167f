namespace BtrfsClone.Cli;

/// <summary>The words of the command line, which are bytes.</summary>
internal static class Arguments
{
    // What the runtime substitutes for bytes that are not UTF-8.
    private const char Replacement = '\ufffd';

    /// <summary>The words, encoded as in <see cref="PathText"/>.</summary>
    /// <param name="decoded">The words as decoded by the runtime.</param>
    /// <exception cref="IOException">The bytes cannot be read, and one of the words may differ from the given one.</exception>
    public static string[] Read(string[] decoded)
    {
        if (!decoded.Any(word => word.Contains(Replacement, StringComparison.Ordinal)))
        {
            return decoded;
        }

        try
        {
            // They are preceded by the program's name and, for a managed program, the runtime's words.
            List<byte[]> words = Split(File.ReadAllBytes("/proc/self/cmdline"));
            string[] last = [.. words.TakeLast(decoded.Length).Select(word => PathText.FromBytes(word))];
            if (last.Length == decoded.Length && last.Zip(decoded).All(pair => IsSame(pair.First, pair.Second)))
            {
                return last;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The words give no more information.
        }

        throw new IOException("a word of the command line is not UTF-8, and /proc/self/cmdline does not tell its bytes: mount /proc");
    }

    private static bool IsSame(string word, string decoded) =>
        word == decoded || decoded.Contains(Replacement, StringComparison.Ordinal);

    private static List<byte[]> Split(byte[] line)
    {
        List<byte[]> words = [];
        for (int begin = 0, end; begin < line.Length; begin = end + 1)
        {
            end = Array.IndexOf(line, (byte)0, begin);
            end = end < 0 ? line.Length : end;
            words.Add(line[begin..end]);
        }

        return words;
    }
}
