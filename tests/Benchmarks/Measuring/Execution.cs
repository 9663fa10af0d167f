using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using BtrfsClone.Benchmarks.Scenarios;

namespace BtrfsClone.Benchmarks.Measuring;

/// <summary>One run of a command.</summary>
/// <param name="Wall">Wall time in seconds.</param>
/// <param name="Cpu">User and system time of all its threads and children, in seconds.</param>
internal sealed record Execution(double Wall, double Cpu)
{
    /// <summary>Its largest resident set in bytes, where it was watched.</summary>
    public long? PeakMemory { get; private init; }

    /// <summary>Whether to start nothing more.</summary>
    public static bool Stopped { get; set; }

    /// <summary>Runs a command to its end. One that fails ends the bench.</summary>
    /// <param name="command">The command.</param>
    /// <param name="watchMemory">Whether to look at its memory while it runs, which takes a little of its time.</param>
    public static Execution Run(CommandLine command, bool watchMemory = false)
    {
        double cpuBefore = ChildrenCpuSeconds();
        long started = Stopwatch.GetTimestamp();
        using Process process = Start(command.File, command.Arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        long? peak = watchMemory ? Memory.WatchPeak(process) : null;
        process.WaitForExit();
        double wall = Stopwatch.GetElapsedTime(started).TotalSeconds;
        FailUnlessZero(process, command, error.Result);
        if (command.TimesItself)
        {
            wall = double.Parse(output.Result.Trim().Split('\n')[^1], CultureInfo.InvariantCulture);
        }

        return new Execution(wall, ChildrenCpuSeconds() - cpuBefore) { PeakMemory = peak };
    }

    /// <summary>Runs a tool of the system, which must succeed. Returns its output.</summary>
    public static string Check(string file, params string[] arguments)
    {
        using Process process = Start(file, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        FailUnlessZero(process, new CommandLine(file, arguments), error.Result);
        return output;
    }

    private static Process Start(string file, string[] arguments)
    {
        if (Stopped)
        {
            throw new BenchException("stopped by a signal.");
        }

        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    private static void FailUnlessZero(Process process, CommandLine command, string error)
    {
        if (process.ExitCode != 0)
        {
            string shown = error.Length > 1000 ? error[..1000] + " ..." : error;
            throw new BenchException(
                $"{command.File} {string.Join(' ', command.Arguments)}: exit code {process.ExitCode}: {shown.Trim()}");
        }
    }

    /// <summary>User and system time of all children that have ended and been waited for, and of theirs.</summary>
    private static unsafe double ChildrenCpuSeconds()
    {
        // struct rusage: two timevals (user, system), then fourteen longs.
        const int Longs = 18;
        const int RusageChildren = -1;
        nint* usage = stackalloc nint[Longs];
        return GetRusage(RusageChildren, usage) == 0
            ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6)
            : double.NaN;
    }

    [DllImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern unsafe int GetRusage(int who, nint* usage);
}
