using System.Text.Json.Serialization;

namespace BtrfsClone.Finding;

/// <summary>A place that holds the data of a <see cref="BtrfsDuplicate"/>.</summary>
/// <param name="path">The file.</param>
/// <param name="offset">Where in it the data begins.</param>
public sealed class DuplicatePlace(string path, long offset)
{
    /// <summary>The file; bytes of its path that are not UTF-8 are as <see cref="PathText"/> has them.</summary>
    public string Path { get; } = path;

    /// <summary>Where in the file the data begins, in bytes.</summary>
    public long Offset { get; } = offset;

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
