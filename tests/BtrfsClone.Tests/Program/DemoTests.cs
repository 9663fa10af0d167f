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
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Terminate)]
    public void Leaves_nothing_behind_when_a_signal_ends_it(int signal) =>
        LeavesNothingBehind(temporary =>
        {
            using Process process = Shell.Start(
                "env", "--default-signal=INT", $"TMPDIR={temporary}", Support.Program.File, "demo");
            Assert.True(SpinWait.SpinUntil(() => IsMountedBelow(temporary), TimeSpan.FromSeconds(20)));
            Assert.True(Signal.Send(process, signal));
            process.WaitForExit();

            Assert.Equal(128 + signal, process.ExitCode);
            Assert.Equal("", process.StandardError.ReadToEnd());
        });

    [RootFact]
    public void Keeps_the_files_of_the_examples_and_makes_none_over_what_is_there() =>
        LeavesNothingBehind(temporary =>
        {
            string data = Path.Combine(temporary, "data");
            try
            {
                ShellResult made = Demo();
                Assert.Equal((0, ""), (made.ExitCode, made.Error));
                Assert.Equal("btrfs\ntmpfs\n", Shell.Check("stat", "--file-system", "--format=%T", data, $"{data}-usb"));
                Assert.Equal(16 << 20, new FileInfo(Path.Combine(data, "vm/disk.img")).Length);

                ShellResult again = Demo();
                Assert.Equal(1, again.ExitCode);
                Assert.Contains($"{data} is not empty", again.Error, StringComparison.Ordinal);
                Shell.Check("umount", data);
                Assert.Contains($"{data}-usb is not empty", Demo().Error, StringComparison.Ordinal);
                Assert.Empty(Directory.EnumerateFileSystemEntries(data));
            }
            finally
            {
                Shell.Run("umount", "--quiet", data);
                Shell.Run("umount", "--quiet", $"{data}-usb");
                Directory.Delete(data);
                Directory.Delete($"{data}-usb");
            }

            ShellResult Demo() => Shell.Run("env", $"TMPDIR={temporary}", Support.Program.File, "demo", "--keep", data);
        });

    [RootFact(Needs = "filefrag")]
    public void Keeps_nothing_when_the_files_cannot_be_made() =>
        LeavesNothingBehind(temporary =>
        {
            string tools = Directory.CreateDirectory(Path.Combine(temporary, "tools")).FullName;
            File.WriteAllText(Path.Combine(tools, "fallocate"), "#!/bin/sh\nexit 1\n");
            File.SetUnixFileMode(Path.Combine(tools, "fallocate"), (UnixFileMode)0b111_101_101);
            string data = Path.Combine(temporary, "data");
            ShellResult result = Shell.Run(
                "env", $"TMPDIR={temporary}", $"PATH={tools}:{Environment.GetEnvironmentVariable("PATH")}",
                Support.Program.File, "demo", "--keep", data);

            Assert.Equal(1, result.ExitCode);
            Directory.Delete(tools, recursive: true);
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
