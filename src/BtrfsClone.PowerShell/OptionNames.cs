namespace BtrfsClone.PowerShell;

/// <summary>The engine's options as parameters.</summary>
internal static class OptionNames
{
    /// <summary>The parameter with its dash, and its argument if it takes one.</summary>
    public static string Of(EngineOption option) => option switch
    {
        EngineOption.ReflinkAuto => "-Reflink Auto",
        EngineOption.RelativeBase => "-RelativeBasePath",
        EngineOption.Workers => "-ThrottleLimit",
        EngineOption.Atomic or EngineOption.Delete or EngineOption.Force or EngineOption.NoClobber or EngineOption.OneFileSystem
            or EngineOption.PointInTime or EngineOption.Snapshot => $"-{option}",
        _ => throw new ArgumentOutOfRangeException(nameof(option)),
    };
}
