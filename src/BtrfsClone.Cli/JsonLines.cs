using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BtrfsClone.Cloning;
using BtrfsClone.Comparing;
using BtrfsClone.Finding;
using BtrfsClone.Measuring;
using BtrfsClone.Merging;
using BtrfsClone.Optimizing;
using BtrfsClone.Owning;
using BtrfsClone.Reporting;
using BtrfsClone.Sending;
using BtrfsClone.Syncing;

namespace BtrfsClone.Cli;

/// <summary>Results as JSON, one object per line, with the names of their properties.</summary>
[JsonSerializable(typeof(CloneResult))]
[JsonSerializable(typeof(CompareResult))]
[JsonSerializable(typeof(MeasureResult))]
[JsonSerializable(typeof(MergeResult))]
[JsonSerializable(typeof(BtrfsDuplicate))]
[JsonSerializable(typeof(BtrfsExtentOwner))]
[JsonSerializable(typeof(SendResult))]
[JsonSerializable(typeof(OptimizeResult))]
[JsonSerializable(typeof(ReportResult))]
[JsonSerializable(typeof(SyncChange))]
[JsonSerializable(typeof(SyncResult))]
internal sealed partial class JsonLines : JsonSerializerContext
{
    /// <summary>For terminals and files, not for HTML.</summary>
    public static JsonLines Readable { get; } = new(new JsonSerializerOptions
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new PathConverter() },
    });

    /// <summary>
    /// A text as JSON, quoted. A byte of a path that is not UTF-8 is half of a surrogate pair (<see cref="PathText"/>), which the
    /// encoder would replace by U+FFFD: it is written as an escape, such as <c>\udce9</c>.
    /// </summary>
    public static string Quote(string text)
    {
        StringBuilder quoted = new("\"");
        int begin = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (Rune.TryGetRuneAt(text, i, out Rune rune))
            {
                i += rune.Utf16SequenceLength - 1;
                continue;
            }

            quoted.Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text[begin..i]));
            quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            begin = i + 1;
        }

        return quoted.Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text[begin..])).Append('"').ToString();
    }

    private sealed class PathConverter : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
            writer.WriteRawValue(Quote(value), skipInputValidation: true);
    }
}
