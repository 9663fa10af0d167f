using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone demo</c>, which makes a filesystem of its own.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class DemoTests
{
    [RootFact(Needs = "filefrag")]
    public void Shows_a_clone_and_leaves_nothing_behind()
    {
        string temporary = Directory.CreateTempSubdirectory("btrfs-clone-tests-").FullName;
        try
        {
            ShellResult result = Shell.Run("env", $"TMPDIR={temporary}", Support.Program.File, "demo");

            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            Assert.Contains("3 extents found", result.Output, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(temporary));
            Assert.DoesNotContain(temporary, Shell.Check("losetup", "-a"), StringComparison.Ordinal);
            Assert.DoesNotContain(temporary, File.ReadAllText("/proc/self/mounts"), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }
}
