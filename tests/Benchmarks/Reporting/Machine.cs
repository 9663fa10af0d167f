using System.Globalization;
using System.Runtime.InteropServices;
using BtrfsClone.Benchmarks.Measuring;
using BtrfsClone.Tests.Support;
using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks.Reporting;

/// <summary>What the figures were measured on and with.</summary>
/// <param name="Processor">The processor's model.</param>
/// <param name="Processors">How many of them there are.</param>
/// <param name="Memory">In bytes.</param>
/// <param name="Kernel">The kernel's release.</param>
/// <param name="Versions">A tool's name to its version.</param>
internal sealed record Machine(
    string Processor, int Processors, long Memory, string Kernel, IReadOnlyDictionary<string, string> Versions)
{
    public static Machine This()
    {
        Dictionary<string, string> versions = new()
        {
            ["btrfs-clone"] = Commit() is string commit ? $"commit {commit}" : Version(Checkout.File, "--version"),
            [".NET"] = RuntimeInformation.FrameworkDescription,
        };
        foreach ((string tool, string option) in new[]
        {
            ("cp", "--version"), ("rsync", "--version"), ("filefrag", "-V"), ("btrfs", "--version"), ("pwsh", "--version"),
            ("strace", "--version"),
        })
        {
            if (Shell.Has(tool))
            {
                versions[tool] = Version(tool, option);
            }
        }

        string model = Value("/proc/cpuinfo", "model name") ?? RuntimeInformation.OSArchitecture.ToString();
        long memory = 1024 * long.Parse((Value("/proc/meminfo", "MemTotal") ?? "0 kB")[..^2], CultureInfo.InvariantCulture);
        return new(model, Environment.ProcessorCount, memory, File.ReadAllText("/proc/sys/kernel/osrelease").Trim(), versions);
    }

    /// <summary>A line for the report's head.</summary>
    public override string ToString() =>
        $"{Processor}, {Processors} processors, {Memory >> 30} GiB, Linux {Kernel}";

    private static string? Commit()
    {
        ShellResult log = Shell.Run("git", "-C", Checkout.RepositoryRoot, "describe", "--always", "--dirty");
        return log.ExitCode == 0 ? log.Output.Trim() : null;
    }

    private static string Version(string tool, string option)
    {
        ShellResult result = Shell.Run(tool, option);
        return (result.Output + result.Error).Split('\n')[0].Trim();
    }

    private static string? Value(string file, string key) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':')[1].Trim();
}
