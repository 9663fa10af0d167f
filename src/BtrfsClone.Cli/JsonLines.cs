using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BtrfsClone.Comparing;
using BtrfsClone.Measuring;

namespace BtrfsClone.Cli;

/// <summary>Results as JSON, one object a line, with the names of their properties.</summary>
[JsonSerializable(typeof(CompareResult))]
[JsonSerializable(typeof(MeasureResult))]
internal sealed partial class JsonLines : JsonSerializerContext
{
    /// <summary>For terminals and files, not for HTML.</summary>
    public static JsonLines Readable { get; } =
        new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
