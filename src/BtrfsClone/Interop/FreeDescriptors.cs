namespace BtrfsClone.Interop;

/// <summary>How many descriptors the process may still open, for those that have to live with few.</summary>
internal static class FreeDescriptors
{
    // For the runtime, which opens assemblies when their first call comes, and for the host.
    private const int Reserve = 16;

    /// <summary>What is left, at this moment, of the process's limit; 0 where there is nothing to spare.</summary>
    public static int Count => (int)Math.Max(Sys.DescriptorLimit - Sys.DescriptorsInUse - Reserve, 0);

    /// <summary>A part of what is left.</summary>
    /// <param name="parts">Into how many parts.</param>
    /// <param name="least">How many it takes, if there are too few: whoever uses them may then fail.</param>
    /// <param name="most">More are not worth it.</param>
    public static int Share(int parts, int least, int most) => Math.Clamp(Count / parts, least, most);
}
