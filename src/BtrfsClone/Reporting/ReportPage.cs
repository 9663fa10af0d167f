using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace BtrfsClone.Reporting;

/// <summary>
/// A page that holds all it needs: style, scripts and data. Nothing that a name could say is part of its markup: the data are
/// compressed and in base64, and the policy of the page lets no other script run than those that are in it.
/// </summary>
internal static class ReportPage
{
    private const string Style = "report.css";

    /// <summary>Writes a page.</summary>
    /// <param name="output">Where to.</param>
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
