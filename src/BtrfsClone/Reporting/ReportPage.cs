using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace BtrfsClone.Reporting;

/// <summary>
/// A self-contained page: style, scripts and data. No name can inject markup: the data is compressed and base64-encoded, and the
/// page's policy does not allow any scripts other than its own.
/// </summary>
internal static class ReportPage
{
    private const string Style = "report.css";

    /// <summary>Writes a page.</summary>
    /// <param name="output">The destination.</param>
    /// <param name="writeData">Writes the data.</param>
    public static void Write(Stream output, Action<Stream> writeData)
    {
        string[] scripts = ["d3-hierarchy.min.js", "model.js", "map.js", "list.js", "report.js"];
        Dictionary<string, string> hashes = Part("hashes").Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.TrimEnd().Split(' ')).ToDictionary(words => words[0], words => $"'sha256-{words[1]}'");
        string[] template = Part("report.html").Split("<!--DATA-->");
        string before = template[0]
            .Replace("<!--STYLE-->", $"<style>{Part(Style)}</style>", StringComparison.Ordinal)
            .Replace("<!--STYLE-HASH-->", hashes[Style], StringComparison.Ordinal)
            .Replace("<!--SCRIPT-HASHES-->", string.Join(' ', scripts.Select(script => hashes[script])), StringComparison.Ordinal);
        string after = template[1].Replace(
            "<!--SCRIPTS-->", string.Concat(scripts.Select(script => $"<script>{Part(script)}</script>\n")), StringComparison.Ordinal);
        output.Write(Encoding.UTF8.GetBytes(before));
        using (var base64 = new CryptoStream(output, new ToBase64Transform(), CryptoStreamMode.Write, leaveOpen: true))
        using (var gzip = new GZipStream(base64, CompressionLevel.Optimal))
        {
            writeData(gzip);
        }

        output.Write(Encoding.UTF8.GetBytes(after));
    }

    private static string Part(string name)
    {
        using Stream stream = typeof(ReportPage).Assembly.GetManifestResourceStream($"Report/{name}")!;
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
