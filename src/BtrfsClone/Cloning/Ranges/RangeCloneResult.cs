using System.Text.Json.Serialization;

namespace BtrfsClone.Cloning;

/// <summary>One range that was cloned. Offsets and lengths are bytes.</summary>
public sealed class RangeCloneResult
{
    /// <summary>The file that holds the clone.</summary>
    public string Path { get; internal init; } = "";

    /// <summary>The file that the range was cloned from.</summary>
    public string Source { get; internal init; } = "";

    /// <summary>Where the range begins in the source.</summary>
    public long Offset { get; internal init; }

    /// <summary>How long the range is; a range up to the end of the source ends there, inside its last block.</summary>
    public long Length { get; internal init; }

    /// <summary>Where the range begins in <see cref="Path"/>.</summary>
    public long DestinationOffset { get; internal init; }

    /// <summary>The last name of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string Name => PathText.NameOf(Path);

    /// <summary><see cref="Path"/>, as files and directories call it.</summary>
    [JsonIgnore]
    public string FullName => Path;

    /// <summary><see cref="Path"/>, as parameters call it that take literal paths from a pipeline.</summary>
    [JsonIgnore]
    public string PSPath => Path;
}
