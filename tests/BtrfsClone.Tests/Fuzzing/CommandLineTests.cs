using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Fuzzing;

/// <summary>Any words after the program's name: it ends, with 0, 1 or 2, and says in one line what is wrong.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CommandLineTests(ScratchBtrfs btrfs)
{
    private static readonly string[] s_verbs =
        ["copy", "range", "extents", "owners", "merge", "compare", "wait", "measure", "send", "", "cpoy"];

    private static readonly string[] s_words =
    [
        "a", "b", "tree", "", " ", "-", "--", "-x", "--atomic", "--reflink", "--reflink=auto", "auto", "always", "--jobs", "--jobs=0",
        "99999999999999999999", "-1", "1", "--timeout", "0", "--json", "--no-clobber", "-n", "-f", "--force", "--include", "*.[",
        "--exclude",
        "--relative-base", ".", "..", "/", "//", "\n", "\u001b[31m", "\ufffd", "é", "a:0:1", "a:4096:", ":::", "a:99999999999999999999:1",
        "a:1e:1z", "tree/a", "missing", "@a", "@missing", "[x]", "--=", "-jobs", "--no-recurse", "--snapshot", "--point-in-time",
        "--help", "-?",
        "--version", "--source", "tree=", "--dry-run", "\"", "'", "$(id)", "%s%n",
    ];

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void Any_words()
    {
        Directory.CreateDirectory(At("tree"));
        File.WriteAllText(At("tree/a"), "tree");
        Random random = new(6);
        for (int round = 0; round < (TestMachine.IsThorough ? 200 : 25); round++)
        {
            File.WriteAllText(At("a"), "a");
            string[] words = [.. Enumerable.Range(0, random.Next(7)).Select(_ => s_words[random.Next(s_words.Length)])];
            string[] arguments = [s_verbs[random.Next(s_verbs.Length)], .. words];
            // Nothing here is to leave the folder: the root directory as a source would.
            if (arguments.Any(word => word.StartsWith('/') || word.StartsWith("..", StringComparison.Ordinal)))
            {
                arguments = [.. arguments.Where(word => !word.StartsWith('/') && !word.StartsWith("..", StringComparison.Ordinal))];
            }

            ProcessStartInfo start = new(Support.Program.File, arguments)
            {
                WorkingDirectory = _folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            string shown = string.Join('|', arguments);

            Assert.True(process.ExitCode is 0 or 1 or 2, $"{shown}: exit code {process.ExitCode}: {error}");
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
            Assert.DoesNotContain('\u001b', error);
            Assert.True(process.ExitCode == 0 || error.StartsWith("btrfs-clone: ", StringComparison.Ordinal), $"{shown}: {error}");
            Assert.True(process.ExitCode != 2 || error.TrimEnd('\n').Split('\n').Length <= 2, $"{shown}: {error}");
            _ = output.GetAwaiter().GetResult();
            Assert.Equal("tree", File.ReadAllText(At("tree/a")));
        }
    }

    [BtrfsFact]
    public void Any_option_with_its_value_missing_or_odd()
    {
        string[] verbs = [.. Words(Shell.Check(Support.Program.File, "--help").Split("Commands:")[1])];
        Assert.Contains("copy", verbs);
        foreach (string verb in verbs.Except(["demo", "completion", "manual"]))
        {
            string[] options = [.. Words(Shell.Check(Support.Program.File, verb, "--help").Split("Options:")[1])
                .Where(word => word.StartsWith("--", StringComparison.Ordinal))];
            Assert.Contains("--help", options);
            foreach (string option in options)
            {
                foreach (string[] words in (string[][])[[option], [option + "="], [option, ""], [option + "=\n"], [option, option, "x"]])
                {
                    ShellResult result = Shell.Run(Support.Program.File, [verb, .. words]);
                    Assert.True(result.ExitCode is 0 or 1 or 2, $"{verb} {string.Join('|', words)}: {result.ExitCode} {result.Error}");
                    Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
                }
            }
        }
    }

    /// <summary>The names at the beginnings of a list's lines, the longest of each.</summary>
    private static IEnumerable<string> Words(string list) => list.Split('\n')
        .Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line.Length > 2 && line[2] != ' ')
        .Select(line => line.Trim().Split("  ")[0].Split((char[])[',', ' '], StringSplitOptions.RemoveEmptyEntries)
            .Where(word => !word.StartsWith('<')).MaxBy(word => word.StartsWith('-') ? word.Length : 100 - word.Length)!);

    private string At(string name) => Path.Combine(_folder, name);
}
