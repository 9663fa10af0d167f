using System.Text;

namespace BtrfsClone.Cli;

/// <summary>
/// Lists each entry that was cloned, as cp(1) does: the bytes of both paths unchanged, or on a terminal, control characters as
/// text.
/// </summary>
/// <param name="output">The destination.</param>
/// <param name="json">Whether to write JSON objects.</param>
internal sealed class EntryLines(Utf8Output output, bool json)
{
    public void Write(string source, string destination)
    {
        if (json)
        {
            output.Write(Encoding.UTF8.GetBytes($$"""{"Source":{{JsonLines.Quote(source)}},"Path":{{JsonLines.Quote(destination)}}}"""));
        }
        else
        {
            output.Write("'"u8);
            output.Write(Bytes(source));
            output.Write("' -> '"u8);
            output.Write(Bytes(destination));
            output.Write("'"u8);
        }

        output.EndLine();
    }

    private static byte[] Bytes(string path) =>
        Console.IsOutputRedirected ? PathLookup.BytesOf(path) : Encoding.UTF8.GetBytes(PathText.Printable(path));
}
