namespace BtrfsClone.Cli;

/// <summary>The engine's options as command line options.</summary>
internal static class OptionNames
{
    /// <summary>The option with its dashes, and its value if it takes one.</summary>
    public static string Of(EngineOption option) => option switch
    {
        EngineOption.Atomic => "--atomic",
        EngineOption.Delete => "--delete",
        EngineOption.Force => "--force",
        EngineOption.NoClobber => "--no-clobber",
        EngineOption.OneFileSystem => "--one-file-system",
        EngineOption.PointInTime => "--point-in-time",
        EngineOption.ReflinkAuto => "--reflink auto",
        EngineOption.RelativeBase => "--relative-base",
        EngineOption.Snapshot => "--snapshot",
        EngineOption.Workers => "--jobs",
        _ => throw new ArgumentOutOfRangeException(nameof(option)),
    };
}
