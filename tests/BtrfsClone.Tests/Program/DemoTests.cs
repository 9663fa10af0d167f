using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone demo</c>, which makes a filesystem of its own.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DemoTests
{
    [RootFact(Needs = "filefrag")]
    public void Shows_a_clone_and_leaves_nothing_behind() =>
        LeavesNothingBehind(temporary =>
        {
            ShellResult result = Shell.Run("env", $"TMPDIR={temporary}", Support.Program.File, "demo");

            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.Contains("3 extents found", result.Output, StringComparison.Ordinal);
        });

    [RootTheory(Needs = "filefrag")]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public void Leaves_nothing_behind_when_a_signal_ends_it(string signal, int exitCode) =>
        LeavesNothingBehind(temporary =>
        {
            using Process process = Shell.Start(
                "env", "--default-signal=INT", $"TMPDIR={temporary}", Support.Program.File, "demo");
            Assert.True(SpinWait.SpinUntil(() => IsMountedBelow(temporary), TimeSpan.FromSeconds(20)));
            Shell.Check("kill", $"-{signal}", $"{process.Id}");
            process.WaitForExit();

            Assert.Equal(exitCode, process.ExitCode);
            Assert.Equal("", process.StandardError.ReadToEnd());
        });

    private static void LeavesNothingBehind(Action<string> demo)
    {
        string temporary = Directory.CreateTempSubdirectory("btrfs-clone-tests-").FullName;
        try
        {
            demo(temporary);

            Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
            Assert.DoesNotContain(temporary, Shell.Check("losetup", "-a"), StringComparison.Ordinal);
            Assert.False(IsMountedBelow(temporary));
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static bool IsMountedBelow(string folder) =>
        File.ReadAllText("/proc/self/mounts").Contains(folder, StringComparison.Ordinal);
}
