using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace BtrfsClone.Tests.Reporting;

/// <summary>An entry of a page, with the sums of all below it.</summary>
internal sealed record PageEntry
{
    public required string Path { get; init; }

    public required int Kind { get; init; }

    public PageEntry? Parent { get; init; }

    public bool IsDirectory => Kind >= 0;

    public bool IsFold => Kind == -2;

    public Dictionary<string, long> Numbers { get; } = [];

    public long this[string column] => Numbers[column];
}

/// <summary>What a page holds, read without its scripts.</summary>
internal sealed partial class PageData
{
    private static readonly string[] s_columns = ["files", "length", "shared", "inline", "data", "extents", "alone", "inside"];

    public PageData(string file)
    {
        Text = File.ReadAllText(file);
        byte[] packed = Convert.FromBase64String(Data().Match(Text).Groups[1].Value);
        using GZipStream gzip = new(new MemoryStream(packed), CompressionMode.Decompress);
        Json = JsonDocument.Parse(gzip).RootElement;
        int[] kinds = [.. Json.GetProperty("kinds").EnumerateArray().Select(kind => kind.GetInt32())];
        string[] names = Json.GetProperty("names").GetString()!.Split('/');
        var paths = new Queue<string>(Json.GetProperty("paths").EnumerateArray().Select(path => path.GetString()!));
        Assert.Equal(kinds.Length, names.Length);
        Stack<(PageEntry Entry, int Left)> open = [];
        for (int i = 0; i < kinds.Length; i++)
        {
            while (open.Count > 0 && open.Peek().Left == 0)
            {
                open.Pop();
            }

            PageEntry? parent = null;
            if (open.TryPop(out (PageEntry Entry, int Left) above))
            {
                parent = above.Entry;
                open.Push((parent, above.Left - 1));
            }

            string path = parent is null ? "" : parent.Parent is null ? paths.Dequeue() : $"{parent.Path}/{names[i]}";
            PageEntry entry = new() { Path = path, Kind = kinds[i], Parent = parent };
            Entries.Add(entry);
            if (entry.IsDirectory)
            {
                open.Push((entry, kinds[i]));
            }
        }

        foreach (string column in s_columns)
        {
            long[] own = [.. Json.GetProperty(column).EnumerateArray().Select(number => number.GetInt64())];
            for (int i = 0; i < own.Length; i++)
            {
                for (PageEntry? entry = Entries[i]; entry is not null; entry = entry.Parent)
                {
                    entry.Numbers[column] = entry.Numbers.GetValueOrDefault(column) + own[i];
                }
            }
        }
    }

    public string Text { get; }

    public JsonElement Json { get; }

    public List<PageEntry> Entries { get; } = [];

    /// <summary>The pairs at the top as <c>one other length</c>, with the full paths of directories.</summary>
    public IEnumerable<string> Pairs()
    {
        string[] tops = [.. Json.GetProperty("tops").EnumerateArray().Select(top => Entries[top.GetInt32()].Path)];
        string NameOf(int top) => top == tops.Length + 1 ? "elsewhere" : top == tops.Length ? "rest" : tops[top];
        long[] pairs = [.. Json.GetProperty("pairs").EnumerateArray().Select(number => number.GetInt64())];
        return pairs.Chunk(3).Select(pair =>
        {
            string[] names = [.. new[] { NameOf((int)pair[0]), NameOf((int)pair[1]) }.Order(StringComparer.Ordinal)];
            return $"{names[0]} {names[1]} {pair[2]}";
        });
    }

    [GeneratedRegex("""id="data">([^<]*)<""")]
    private static partial Regex Data();
}
