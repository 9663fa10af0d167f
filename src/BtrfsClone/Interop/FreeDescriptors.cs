namespace BtrfsClone.Interop;

/// <summary>How many descriptors the process may still open, for code that can work with few.</summary>
internal static class FreeDescriptors
{
    // For the runtime, which opens assemblies when they are first used, and for the host.
    private const int Reserve = 16;

    /// <summary>What is currently left of the process's limit; 0 if nothing is to spare.</summary>
    public static int Count => (int)Math.Max(Sys.DescriptorLimit - Sys.DescriptorsInUse - Reserve, 0);

    /// <summary>A part of what is left.</summary>
    /// <param name="parts">The number of parts.</param>
    /// <param name="least">The minimum, even if there are too few: opening may then fail.</param>
    /// <param name="most">The maximum that is useful.</param>
    public static int Share(int parts, int least, int most) => Math.Clamp(Count / parts, least, most);
}
