using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults.Sweep;

/// <summary>
/// Each call that the program makes fails once, for each of some reasons, without having been made
/// (<c>failing-libc.c</c>). Whatever it is, the program says so, and what it says is true.
/// </summary>
public sealed partial class FaultSweepTests
{
    /// <summary>A single run to repeat, as a failure names it: <c>SCENARIO: CALL WHEN ERRNO</c>.</summary>
    private static readonly string? s_only = Environment.GetEnvironmentVariable("BTRFSCLONE_SWEEP");

    /// <summary>EIO, ENOMEM, EACCES, ENOSPC.</summary>
    private static readonly int[] s_reasons = [5, 12, 13, 28];

    /// <summary>Calls whose failure means nothing: there is nothing to be done about it, or there is none.</summary>
    private static readonly string[] s_unfailing = ["close", "geteuid", "getegid", "posix_fadvise"];

    public static TheoryData<string> Scenarios => [.. SweepScenario.All.Keys];

    [RootTheory(Needs = DoctoredProgram.Tools + " setfacl setfattr chattr mkfifo " + SweepState.Tools)]
    [MemberData(nameof(Scenarios))]
    public void One_call_fails(string name)
    {
        if (s_only?.StartsWith(name + ":", StringComparison.Ordinal) == false)
        {
            return;
        }

        using ScratchImage image = new(4L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        using ScratchImage other = new(4L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        SweepRunner runner = new(name, image.Root, other.Root);
        string[] problems = s_only is null
            ? runner.RunAll(s_reasons, TestMachine.IsThorough ? 2000 / SweepScenario.All.Count : 20)
            : runner.RunOne(s_only[(name.Length + 1)..]);

        Assert.True(problems.Length == 0, $"{problems.Length} of {runner.Count} runs\n{string.Join('\n', problems)}");
        Assert.True(runner.Count > 0);
    }

    [Fact]
    public void Every_call_of_the_engine_can_fail()
    {
        string source = File.ReadAllText(
            Path.Combine(Support.Program.RepositoryRoot, "tests/BtrfsClone.Tests/Faults/Sweep/failing-libc.c"));
        IEnumerable<string> calls = typeof(BtrfsException).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(
                BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<DllImportAttribute>()?.EntryPoint)
            .OfType<string>();

        Assert.Contains("openat", calls);
        Assert.Equal(
            calls.Except(s_unfailing).Distinct().Order(StringComparer.Ordinal),
            CallInSource().Matches(source).Select(match => match.Groups["call"].Value).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"^CALL\w*\((?<call>\w+)", RegexOptions.Multiline)]
    private static partial Regex CallInSource();
}
