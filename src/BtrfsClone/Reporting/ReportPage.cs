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
    /// <summary>Writes a page.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="writeData">Writes the data.</param>
    public static void Write(Stream output, Action<Stream> writeData)
    {
        string style = Part("report.css");
        string[] scripts = [Part("d3-hierarchy.min.js"), Part("model.js"), Part("map.js"), Part("list.js"), Part("report.js")];
        string[] template = Part("report.html").Split("<!--DATA-->");
        string before = template[0]
            .Replace("<!--STYLE-->", $"<style>{style}</style>", StringComparison.Ordinal)
            .Replace("<!--STYLE-HASH-->", HashOf(style), StringComparison.Ordinal)
            .Replace("<!--SCRIPT-HASHES-->", string.Join(' ', scripts.Select(HashOf)), StringComparison.Ordinal);
        string after = template[1]
            .Replace("<!--SCRIPTS-->", string.Concat(scripts.Select(script => $"<script>{script}</script>\n")), StringComparison.Ordinal);
        output.Write(Encoding.UTF8.GetBytes(before));
        using (var base64 = new CryptoStream(output, new ToBase64Transform(), CryptoStreamMode.Write, leaveOpen: true))
        using (var gzip = new GZipStream(base64, CompressionLevel.Optimal))
        {
            writeData(gzip);
        }

        output.Write(Encoding.UTF8.GetBytes(after));
    }

    private static string HashOf(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    private static string Part(string name)
    {
        using Stream stream = typeof(ReportPage).Assembly.GetManifestResourceStream($"Report/{name}")!;
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
