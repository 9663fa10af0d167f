using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>Reads the lines of a file that need not be UTF-8, such as a list of names; see <see cref="PathText"/>.</summary>
public static class ByteLines
{
    private const int BufferSize = 1 << 16;

    /// <summary>Reads a file lazily, line by line.</summary>
    /// <param name="path">The file's absolute path; it may be a pipe.</param>
    /// <param name="end">The line terminator. It is not part of the line, and may be missing after the last one.</param>
    /// <exception cref="BtrfsException">The file cannot be read.</exception>
    public static IEnumerable<string> Read(string path, byte end = (byte)'\n')
    {
        ArgumentNullException.ThrowIfNull(path);
        return ReadOpened(Open(path), path, end);
    }

    private static OwnedDescriptor Open(string path)
    {
        CallResult result = Sys.Open(path, OpenFlags.ReadOnly | OpenFlags.NoControllingTerminal, out Descriptor file);
        return result.Succeeded
            ? new OwnedDescriptor(file)
            : throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
    }

    private static IEnumerable<string> ReadOpened(OwnedDescriptor file, string path, byte end)
    {
        using OwnedDescriptor closing = file;
        byte[] buffer = new byte[BufferSize];
        int kept = 0;
        for (int read; (read = ReadOn(file, buffer.AsSpan(kept), path)) > 0;)
        {
            int begin = 0;
            int filled = kept + read;
            for (int at; (at = buffer.AsSpan(begin, filled - begin).IndexOf(end)) >= 0; begin += at + 1)
            {
                yield return PathText.FromBytes(buffer.AsSpan(begin, at));
            }

            kept = filled - begin;
            buffer.AsSpan(begin, kept).CopyTo(buffer);
            if (kept == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }

        if (kept > 0)
        {
            yield return PathText.FromBytes(buffer.AsSpan(0, kept));
        }
    }

    private static int ReadOn(OwnedDescriptor file, Span<byte> buffer, string path)
    {
        CallResult result = Sys.Read(file.Descriptor, buffer);
        return result.Succeeded ? (int)result.Value : throw BtrfsException.FromErrno(result.Error, SystemCall.Read, path);
    }
}
