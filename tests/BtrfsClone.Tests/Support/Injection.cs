using System.Globalization;

namespace BtrfsClone.Tests.Support;

/// <summary>Runs the program while strace(1) lets chosen system calls of it fail.</summary>
public static class Injection
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "strace";

    /// <summary>Runs the program with an injection.</summary>
    /// <param name="injection">What <c>strace -e inject=</c> takes, such as <c>renameat2:error=EIO:when=5+</c>.</param>
    /// <param name="injected">How many calls have failed for it.</param>
    /// <param name="arguments">The program's.</param>
    public static ShellResult Run(string injection, out int injected, params string[] arguments) =>
        Run([injection], null, out injected, arguments);

    /// <summary>Lets a call fail once in each run, each time at another place, until a run makes no more calls.</summary>
    /// <param name="call">The system call.</param>
    /// <param name="error">The errno, by name.</param>
    /// <param name="arguments">Makes what the run needs, and returns the program's arguments.</param>
    /// <param name="check">Looks at what has come of it.</param>
    /// <param name="always">An injection besides, of another call.</param>
    /// <param name="path">Only calls that name this path, just so, fail.</param>
    public static void RunAtEach(
        string call, string error, Func<string[]> arguments, Action<int, ShellResult> check, string? always = null,
        string? path = null)
    {
        int injected = 1;
        for (int place = 1; injected > 0; place++)
        {
            string injection = string.Create(CultureInfo.InvariantCulture, $"{call}:error={error}:when={place}");
            ShellResult result = Run(
                always is null ? [injection] : [injection, always], path, out injected, arguments());
            if (injected > 0)
            {
                check(place, result);
            }
        }
    }

    private static ShellResult Run(string[] injections, string? path, out int injected, string[] arguments)
    {
        string log = Path.GetTempFileName();
        try
        {
            string[] calls = [.. injections.Select(i => i[..i.IndexOf(':', StringComparison.Ordinal)])];
            ShellResult result = Shell.Run(
                "strace",
                ["-f", "-qq", "-o", log, .. path is null ? (string[])[] : ["-P", path], "-e", $"trace={string.Join(',', calls)}",
                    .. injections.SelectMany(i => (string[])["-e", $"inject={i}"]), Program.File, .. arguments]);
            string[] first = calls[0].Split(',');
            injected = File.ReadLines(log).Count(line => line.EndsWith("(INJECTED)", StringComparison.Ordinal) &&
                first.Any(call => line.Contains(call + "(", StringComparison.Ordinal)));
            return result;
        }
        finally
        {
            File.Delete(log);
        }
    }
}
