using System.Diagnostics;
using System.Globalization;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>How much memory a process takes.</summary>
internal static class Memory
{
    private const string Peak = "VmHWM:";

    /// <summary>
    /// Waits for the process to end. Returns its largest resident set in bytes (VmHWM of proc(5)), or null where it
    /// was never seen. getrusage(2) cannot tell: its number starts with the memory of the process that forked.
    /// </summary>
    public static long? WatchPeak(Process process)
    {
        long? peak = null;
        do
        {
            // It only grows, so that the last look, a few milliseconds before the end, is the one that counts.
            peak = ReadPeak(process.Id) ?? peak;
        }
        while (!process.WaitForExit(3));
        return peak;
    }

    private static long? ReadPeak(int id)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith(Peak, StringComparison.Ordinal));
            long peak = line is null ? 0 : 1024 * long.Parse(line[Peak.Length..^"kB".Length].Trim(), CultureInfo.InvariantCulture);
            // It has been started and maps nothing yet, or has ended.
            return peak == 0 ? null : peak;
        }
        catch (IOException)
        {
            // It is gone altogether.
            return null;
        }
    }
}
