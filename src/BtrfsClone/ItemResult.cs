using System.Text.Json.Serialization;

namespace BtrfsClone;

/// <summary>What is told of a file or directory, with its path by the names that PowerShell has for one.</summary>
public abstract class ItemResult
{
    /// <summary>The file or directory; bytes of its path that are not UTF-8 are as <see cref="PathText"/> has them.</summary>
    public abstract string Path { get; internal init; }

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
