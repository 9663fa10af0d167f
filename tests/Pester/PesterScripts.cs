using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace BtrfsClone.Pester;

/// <summary>What <c>run.ps1</c> writes of a test.</summary>
/// <param name="Name">The names of its blocks and its own, as they stand in the file.</param>
/// <param name="Text">The same with the values that it runs with.</param>
/// <param name="Line">Where it begins in the file.</param>
/// <param name="Duration">In seconds.</param>
internal sealed record PesterTest(
    string File, string Name, string Text, int Line, string Result, double Duration, string Message, string Trace);

/// <summary>Runs the scripts of the cmdlets' tests in a pwsh of their own.</summary>
internal static class PesterScripts
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(300);

    /// <summary>Starts <c>run.ps1</c> and hands over each test as soon as its file is done.</summary>
    /// <param name="arguments">What is to be run or listed.</param>
    /// <param name="output">Receives what Pester writes, line by line.</param>
    /// <param name="found">Receives the tests.</param>
    /// <param name="cancellation">Ends pwsh and all that it has started.</param>
    /// <returns>The exit code.</returns>
    public static int Run(
        IEnumerable<string> arguments, Action<string> output, Action<PesterTest> found, CancellationToken cancellation)
    {
        string results = Path.GetTempFileName();
        try
        {
            using Process process = Process.Start(StartInfo(["-ResultPath", results, .. arguments]))!;
            process.StandardInput.Close();
            process.OutputDataReceived += (_, e) => Write(output, e.Data);
            process.ErrorDataReceived += (_, e) => Write(output, e.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            using StreamReader reader = new(new FileStream(results, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            using CancellationTokenRegistration kill = cancellation.Register(() => process.Kill(entireProcessTree: true));
            for (bool ended = false; !ended;)
            {
                ended = process.WaitForExit(s_interval);
                while (reader.ReadLine() is { Length: > 0 } line)
                {
                    found(JsonSerializer.Deserialize<PesterTest>(line)!);
                }
            }

            process.WaitForExit();
            return process.ExitCode;
        }
        finally
        {
            File.Delete(results);
        }
    }

    private static ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        string scripts = Built("Scripts");
        ProcessStartInfo start = new(
            Path.Combine(Built("PowerShell"), "pwsh"),
            ["-NoProfile", "-NonInteractive", "-File", Path.Combine(scripts, "run.ps1"), .. arguments])
        {
            WorkingDirectory = scripts,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Prepend(start, "PATH", Built("PowerShell"));
        Prepend(start, "PSModulePath", Built("Modules"));
        return start;
    }

    private static void Prepend(ProcessStartInfo start, string variable, string folder) =>
        start.Environment[variable] = start.Environment.TryGetValue(variable, out string? rest) && rest is { Length: > 0 }
            ? folder + Path.PathSeparator + rest
            : folder;

    private static string Built(string key) => typeof(PesterScripts).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == key).Value!;

    private static void Write(Action<string> output, string? line)
    {
        if (!string.IsNullOrWhiteSpace(line))
        {
            output(line);
        }
    }
}
