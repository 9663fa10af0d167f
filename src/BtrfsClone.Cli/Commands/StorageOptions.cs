using System.CommandLine;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary>Options that determine how clones store their data, if different from the source.</summary>
internal sealed class StorageOptions
{
    public StorageOptions()
    {
        Compression.CompletionSources.Add("zstd", "zstd:3", "zlib", "lzo", "none", "inherit");
        Compression.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !CompressionProperty.IsValid(text))
            {
                result.AddError($"--compression takes {CompressionProperty.Choices}.");
            }
        });
    }

    public Option<bool> NoCow { get; } = new("--no-cow")
    {
        Description = "Make clones NOCOW; what is not NOCOW at the source has to be copied (--reflink auto).",
    };

    public Option<bool> InheritProperty { get; } = new("--inherit-property")
    {
        Description = "Make clones NOCOW and compressed as new files in the destination's directory are; what then cannot be " +
            "shared has to be copied (--reflink auto).",
    };

    public Option<string?> Compression { get; } = new("--compression")
    {
        Description = $"Compress what is written to the clones later: {CompressionProperty.Choices}.",
        HelpName = "ALGORITHM",
    };

    public Option[] All => [NoCow, InheritProperty, Compression];
}
