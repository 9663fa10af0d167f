using System.Globalization;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>What is told of a row of numbers, and how.</summary>
internal static class Figures
{
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>Seconds with as many places as a run can be told apart by.</summary>
    public static string Seconds(double seconds) =>
        seconds.ToString(seconds < 1 ? "0.0000" : "0.00", CultureInfo.InvariantCulture);

    public static string Ratio(double ratio) => ratio.ToString("0.00", CultureInfo.InvariantCulture);

    public static string Megabytes(long? bytes) =>
        bytes is null ? "" : (bytes.Value / 1e6).ToString("0.0", CultureInfo.InvariantCulture);
}
