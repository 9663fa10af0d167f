using System.Diagnostics;
using System.Text;

namespace BtrfsClone.Tests.Support;

/// <summary>What a command did. Output and error are what it wrote, decoded as UTF-8.</summary>
public sealed record ShellResult(int ExitCode, string Output, string Error);

/// <summary>Runs the system's own tools, as witnesses that share no code with the engine.</summary>
public static class Shell
{
    /// <summary>No command of a test takes longer; one that does is killed and fails.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(3);

    public static ShellResult Run(string command, params string[] arguments)
    {
        (int exitCode, byte[] output, string error) = RunBytes(null, command, arguments);
        return new ShellResult(exitCode, Encoding.UTF8.GetString(output), error);
    }

    /// <summary>As <see cref="Run"/>, but returns the output alone and throws where the command failed.</summary>
    public static string Check(string command, params string[] arguments) =>
        Encoding.UTF8.GetString(CheckBytes(null, command, arguments));

    /// <summary>As <see cref="Check"/>, for output and input that need not be UTF-8.</summary>
    public static byte[] CheckBytes(byte[]? input, string command, params string[] arguments)
    {
        (int exitCode, byte[] output, string error) = RunBytes(input, command, arguments);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"{command} {string.Join(' ', arguments)}: exit code {exitCode}: {error}{Encoding.UTF8.GetString(output)}");
    }

    /// <summary>Runs a command with the bytes as its standard input and returns what it wrote, byte by byte.</summary>
    public static (int ExitCode, byte[] Output, string Error) RunBytes(
        byte[]? input, string command, params string[] arguments)
    {
        using Process process = Start(command, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        using MemoryStream output = new();
        Task reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        if (input is { Length: > 0 })
        {
            process.StandardInput.BaseStream.Write(input);
        }

        process.StandardInput.Close();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{command} {string.Join(' ', arguments)}: still running after {s_limit}.");
        }

        reading.GetAwaiter().GetResult();
        return (process.ExitCode, output.ToArray(), error.GetAwaiter().GetResult());
    }

    /// <summary>
    /// Starts a command with all three streams redirected, for tests that signal it while it runs. Disposing of it kills it.
    /// </summary>
    public static Process Start(string command, params string[] arguments)
    {
        ProcessStartInfo start = new(command, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C";
        OwnedProcess process = new() { StartInfo = start };
        process.Start();
        return process;
    }

    /// <summary>True if a command of that name is on the search path.</summary>
    public static bool Has(string command) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, command)));

    /// <summary>Ends with its owner: of a test that fails, nothing goes on that holds the filesystem of others.</summary>
    private sealed class OwnedProcess : Process
    {
        private bool _isDisposed;

        protected override void Dispose(bool disposing)
        {
            if (disposing && !_isDisposed && !HasExited)
            {
                Kill(entireProcessTree: true);
                WaitForExit();
            }

            _isDisposed = true;
            base.Dispose(disposing);
        }
    }
}
