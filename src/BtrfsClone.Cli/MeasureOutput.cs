using System.Globalization;
using System.Text;
using System.Text.Json;
using BtrfsClone.Measuring;

namespace BtrfsClone.Cli;

/// <summary>Writes measurements: as a table, or as one JSON object per line.</summary>
/// <param name="json">Whether JSON is written.</param>
/// <param name="byCompression">Whether the table has a line for each type of compression.</param>
/// <param name="isReclaimable">Whether the table shows what would be freed.</param>
internal sealed class MeasureOutput(bool json, bool byCompression, bool isReclaimable)
{
    private const int Wide = 15;

    private readonly Utf8Output _output = new(StandardStream.Output);
    private bool _hasHead;

    public bool IsReclaimable => isReclaimable;

    public bool IsOpen => _output.IsOpen;

    public void Flush() => _output.Flush();

    /// <summary>Writes all items, and what they would free together.</summary>
    public void Write(IReadOnlyList<MeasureResult> results)
    {
        foreach (MeasureResult result in results)
        {
            Write(result);
        }

        if (!json && results.Count > 1)
        {
            WriteReclaimable(results[0].SetReclaimableLength, "all of them together");
        }
    }

    public void Write(MeasureResult result)
    {
        if (json)
        {
            _output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.MeasureResult));
            _output.EndLine();
            return;
        }

        WriteHead();
        _output.WriteRight(result.Length, Wide);
        _output.WriteRight(result.InlineLength, Wide);
        _output.WriteRight(result.ExclusiveLength, Wide);
        _output.WriteRight(result.SetSharedLength, Wide);
        WriteExtents(result.DiskLength, result.CompressionRatio, result.ExtentCount);
        if (isReclaimable)
        {
            _output.WriteRight(result.ReclaimableLength, Wide);
        }

        WriteText(PathText.Printable(result.Path));
        foreach (CompressionUsage usage in byCompression ? result.ByCompression ?? [] : [])
        {
            _output.WriteRight(usage.Length, Wide);
            WriteEmpty(3);
            WriteExtents(usage.DiskLength, usage.CompressionRatio, usage.ExtentCount);
            WriteEmpty(isReclaimable ? 1 : 0);
            WriteText($"  {usage.Type}");
        }

        foreach (ReclaimableGroup group in result.ReclaimableTogether ?? [])
        {
            WriteReclaimable(group.Length, $"  with {string.Join(", ", group.With.Select(PathText.Printable))}");
        }
    }

    private void WriteHead()
    {
        if (_hasHead)
        {
            return;
        }

        _hasHead = true;
        foreach (string head in (ReadOnlySpan<string>)["LENGTH", "INLINE", "EXCLUSIVE", "SET SHARED", "ON DISK"])
        {
            _output.WriteRight(Encoding.UTF8.GetBytes(head), Wide);
        }

        _output.WriteRight("RATIO"u8, 5);
        _output.WriteRight("EXTENTS"u8, 9);
        if (isReclaimable)
        {
            _output.WriteRight("RECLAIMABLE"u8, Wide);
        }

        WriteText("PATH");
    }

    /// <summary>Writes a line with only what would be freed.</summary>
    private void WriteReclaimable(long? length, string text)
    {
        WriteEmpty(5);
        _output.WriteRight(""u8, 5);
        _output.WriteRight(""u8, 9);
        _output.WriteRight(length, Wide);
        WriteText(text);
    }

    private void WriteExtents(long? diskLength, double? ratio, long? count)
    {
        _output.WriteRight(diskLength, Wide);
        _output.WriteRight(
            ratio is double known ? Encoding.UTF8.GetBytes(known.ToString("F2", CultureInfo.InvariantCulture)) : "-"u8, 5);
        _output.WriteRight(count, 9);
    }

    private void WriteEmpty(int columns)
    {
        for (int i = 0; i < columns; i++)
        {
            _output.WriteRight(""u8, Wide);
        }
    }

    private void WriteText(string text)
    {
        _output.Write(Encoding.UTF8.GetBytes(text));
        _output.EndLine();
    }
}
