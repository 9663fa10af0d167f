using System.Text.Json;
using BtrfsClone.Interop;

namespace BtrfsClone.Reporting;

/// <summary>Writes the data of a page as JSON: names as one string, and the numbers of all entries as one array per kind.</summary>
/// <remarks>
/// Each directory precedes its entries. A number of a directory is the difference from the sum of its entries, which is nearly
/// always 0; <see cref="ReportNode"/> explains the exceptions.
/// </remarks>
internal sealed class ReportData
{
    // Marks an entry that is not a directory and so has no number of entries.
    private const int File = -1;
    private const int Fold = -2;

    private readonly ReportTree _tree;
    private readonly List<ReportNode> _shown = [];
    private readonly List<int> _kinds = [];

    /// <param name="tree">The tree, with all numbers.</param>
    public ReportData(ReportTree tree)
    {
        _tree = tree;
        var waiting = new Stack<ReportNode>([tree.Root]);
        List<ReportNode> entries = [];
        while (waiting.TryPop(out ReportNode? node))
        {
            _shown.Add(node);
            entries.Clear();
            for (ReportNode? child = node.FirstChild; child is not null; child = child.NextSibling)
            {
                // A node without a file was deleted while it was being measured.
                if (!child.IsFolded && (child.IsDirectory || child.IsFold || child.Files > 0))
                {
                    entries.Add(child);
                }
            }

            _kinds.Add(node.IsFold ? Fold : node.IsDirectory ? entries.Count : File);

            // The stack reverses them. Similar neighbours compress well.
            entries.Sort(static (one, other) => other.Name.AsSpan().SequenceCompareTo(one.Name));
            if (!node.IsFold)
            {
                entries.ForEach(waiting.Push);
            }
        }
    }

    /// <summary>Writes the data.</summary>
    /// <param name="output">The destination.</param>
    /// <param name="pairs">What the top directories share.</param>
    /// <param name="failures">The failures, as text.</param>
    /// <param name="failed">The number of failures.</param>
    public void Write(Stream output, TopPairs pairs, IReadOnlyList<string> failures, long failed)
    {
        using Utf8JsonWriter json = new(output);
        json.WriteStartObject();
        json.WriteString("created", DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture));
        json.WriteNumber("failed", failed);
        Write(json, "failures", failures, static (writer, text) => writer.WriteStringValue(text));
        json.WriteString("names", string.Join('/', _shown.Select(NameOf)));
        Write(json, "paths", _shown.Where(IsFirst), static (writer, node) => writer.WriteStringValue(TextOf(node)));
        Write(json, "kinds", _kinds, static (writer, kind) => writer.WriteNumberValue(kind));
        WriteNumbers(json, "files", static node => node.Files);
        WriteNumbers(json, "length", static node => node.Length);
        WriteNumbers(json, "shared", static node => node.SharedLength);
        WriteNumbers(json, "inline", static node => node.InlineDiskLength);
        WriteNumbers(json, "data", static node => node.DataLength);
        WriteNumbers(json, "extents", static node => node.ExtentCount);
        WriteNumbers(json, "alone", static node => node.AloneLength);
        WriteNumbers(json, "inside", static node => node.InsideLength);
        Dictionary<ReportNode, int> places = _shown.Select((node, place) => (node, place)).ToDictionary(x => x.node, x => x.place);
        Write(json, "tops", pairs.Tops, (writer, top) => writer.WriteNumberValue(places[top]));
        Write(json, "pairs", pairs.Pairs(), static (writer, pair) =>
        {
            writer.WriteNumberValue(pair.One);
            writer.WriteNumberValue(pair.Other);
            writer.WriteNumberValue(pair.Length);
        });
        json.WriteEndObject();
    }

    private static void Write<T>(Utf8JsonWriter json, string name, IEnumerable<T> values, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray(name);
        foreach (T value in values)
        {
            write(json, value);
        }

        json.WriteEndArray();
    }

    private static string TextOf(ReportNode node) => PathText.Printable(Utf8Z.ToText(node.Name));

    private void WriteNumbers(Utf8JsonWriter json, string name, Func<ReportNode, long> number) =>
        Write(json, name, _shown, (writer, node) => writer.WriteNumberValue(number(node)));

    /// <summary>Whether it is one of the given directories; then its name is a path, which may contain slashes.</summary>
    private bool IsFirst(ReportNode node) => node.Parent == _tree.Root;

    private string NameOf(ReportNode node) => IsFirst(node) ? "" : TextOf(node);
}
