using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Fuzzing;

/// <summary>
/// The program with a C library that changes what the kernel answers (<c>lying-libc.c</c>): it may fail, with a clear
/// line for each failure, and may not crash, hang or read past the end.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class LyingKernelTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [RootTheory(Needs = DoctoredProgram.Tools)]
    [InlineData("extents", "--json", "--include-hole")]
    [InlineData("extents", "--source", "fiemap")]
    [InlineData("owners", "--json")]
    [InlineData("optimize", "--json", "--dry-run")]
    [InlineData("measure")]
    [InlineData("measure", "--reclaimable", "--detailed")]
    [InlineData("report", "--json", "--force")]
    [InlineData("copy", "--atomic")]
    [InlineData("copy")]
    [InlineData("send", "--protocol", "1")]
    [InlineData("send")]
    [InlineData("wait", "--timeout", "2")]
    public void A_verb_survives_any_answer(string verb, params string[] options)
    {
        // Of its own, since space may be preallocated that nobody has asked for.
        using ScratchImage image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string program = DoctoredProgram.Make(Path.Combine(image.Root, "program"), "Fuzzing/lying-libc.c");
        string source = MakeSource(image.Root);
        string[] paths = verb is "extents" or "owners"
            ? Directory.GetFiles(source)
            : verb == "report" ? [source, "--output", Path.Combine(image.Root, "page")]
            : verb == "copy" ? [source, Path.Combine(image.Root, "clone")] : [source];
        (int, string, string) honest = Run(0, rate: int.MaxValue, program, [verb, .. options, .. paths]);
        Shell.Check("sh", "-c", "rm -rf \"$1\"/clone \"$1\"/.btrfs-clone-atomic.*", "sh", image.Root);
        int lied = 0;
        for (int seed = 0; seed < (TestMachine.IsThorough ? 60 : 6); seed++)
        {
            (int exitCode, string output, string error) = Run(
                seed, rate: 1 + (seed % 4), program, [verb, .. options, .. paths]);

            Assert.True(exitCode is 0 or 1, $"seed {seed}: exit code {exitCode}: {error}");
            Assert.Equal(exitCode == 0, error.Length == 0);
            Assert.All(
                error.Split('\n', StringSplitOptions.RemoveEmptyEntries),
                line => Assert.StartsWith("btrfs-clone: ", line, StringComparison.Ordinal));
            lied += (exitCode, output, error) == honest ? 0 : 1;
            Shell.Check("sh", "-c", "rm -rf \"$1\"/clone \"$1\"/.btrfs-clone-atomic.*", "sh", image.Root);
        }

        // The lies have been told.
        Assert.True(lied > 0 || verb == "wait");
    }

    private static (int ExitCode, string Output, string Error) Run(int seed, int rate, string program, string[] arguments)
    {
        using Process process = Shell.Start(
            "env", ["DOTNET_EnableDiagnostics=0", $"LIE_SEED={seed}", $"LIE_RATE={rate}", program, .. arguments]);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"seed {seed}: {arguments[0]} hangs");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    private static string MakeSource(string parent)
    {
        string source = Directory.CreateDirectory(Path.Combine(parent, "source")).FullName;
        for (int i = 0; i < 300; i++)
        {
            File.WriteAllBytes(Path.Combine(source, $"small{i}"), new byte[i * 10]);
        }

        for (int i = 0; i < 4; i++)
        {
            using FileStream file = File.Create(Path.Combine(source, $"large{i}"));
            for (int j = 0; j < 600; j++)
            {
                file.Position = j * 16384L;
                file.Write(new byte[4096 * ((j % 3) + 1)]);
            }

            file.Flush();
            Shell.Check("fallocate", "--keep-size", "--offset", "20M", "--length", $"{i + 1}M", file.Name);
        }

        Directory.CreateDirectory(Path.Combine(source, "directory/deeper"));
        File.WriteAllText(Path.Combine(source, "directory/deeper/file"), "content");
        Shell.Check("sync", "--file-system", parent);
        return source;
    }
}
