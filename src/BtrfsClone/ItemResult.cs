using System.Text.Json.Serialization;

namespace BtrfsClone;

/// <summary>A result about a file or directory, with its path under the names that PowerShell uses.</summary>
public abstract class ItemResult
{
    /// <summary>The file or directory; bytes of its path that are not UTF-8 are encoded as in <see cref="PathText"/>.</summary>
    public abstract string Path { get; internal init; }

    /// <summary>The last component of <see cref="Path"/>.</summary>
    [JsonIgnore]
    public string Name => PathText.NameOf(Path);

    /// <summary><see cref="Path"/>, under the name that file and directory objects use.</summary>
    [JsonIgnore]
    public string FullName => Path;

    /// <summary><see cref="Path"/>, under the name by which parameters for literal paths bind from the pipeline.</summary>
    [JsonIgnore]
    public string PSPath => Path;
}
