using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Walking;

/// <summary>
/// The program with a C library in which one listing fails (<c>failing-libc.c</c>), each in turn: what cannot be listed is
/// told, and never taken for the end of a directory.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ListingFailureTests(ScratchBtrfs btrfs)
{
    private const int Eio = 5;

    [RootTheory(Needs = "cc")]
    [InlineData("getdents64", "copy")]
    [InlineData("getdents64", "compare")]
    [InlineData("lseek", "compare")]
    [InlineData("getdents64", "merge")]
    [InlineData("lseek", "merge")]
    [InlineData("getdents64", "measure")]
    [InlineData("getdents64", "report")]
    [InlineData("getdents64", "wait")]
    [InlineData("lseek", "wait")]
    public void Every_listing_that_fails_is_told(string call, string verb)
    {
        string folder = btrfs.NewFolder();
        string program = MakeFailingProgram(folder);
        string source = MakeTree(folder, "source");
        string other = MakeTree(folder, "other");
        File.WriteAllText(Path.Combine(other, "wide/only here"), "");
        string[] arguments = verb switch
        {
            "copy" => ["copy", source, Path.Combine(folder, "clone")],
            "compare" or "merge" => [verb, other, source],
            "report" => ["report", source, "--force", "--output", Path.Combine(folder, "page")],
            _ => [verb, source],
        };
        int failures = 0;
        string mark = Path.Combine(folder, "mark");
        for (int at = 1; ; at++)
        {
            ShellResult result = Shell.Run(
                "env",
                [
                    "DOTNET_EnableDiagnostics=0", $"FAIL_CALL={call}", $"FAIL_AT={at}", $"FAIL_ERRNO={Eio}",
                    $"FAIL_MARK={mark}", program, .. arguments,
                ]);
            Shell.Check("rm", "-rf", Path.Combine(folder, "clone"));
            if (!File.Exists(mark))
            {
                break;
            }

            File.Delete(mark);
            failures++;
            Assert.True(
                result.ExitCode == 1 && result.Error.Contains(call, StringComparison.Ordinal),
                $"call {at}: exit code {result.ExitCode}: {result.Error}");
        }

        Assert.True(failures > 0);
    }

    private static string MakeFailingProgram(string parent)
    {
        string folder = Path.Combine(parent, "program");
        Shell.Check("cp", "-rL", Path.GetDirectoryName(Support.Program.File)!, folder);
        Shell.Check(
            "cc", "-shared", "-fPIC", "-O1", "-o", Path.Combine(folder, "libc.so"),
            Path.Combine(Support.Program.RepositoryRoot, "tests/BtrfsClone.Tests/Fuzzing/failing-libc.c"));
        return Path.Combine(folder, "btrfs-clone");
    }

    private static string MakeTree(string parent, string name)
    {
        string tree = Path.Combine(parent, name);
        Directory.CreateDirectory(Path.Combine(tree, "directory/deeper"));
        File.WriteAllText(Path.Combine(tree, "directory/deeper/file"), "content");
        string wide = Directory.CreateDirectory(Path.Combine(tree, "wide")).FullName;
        for (int i = 0; i < 1000; i++)
        {
            File.WriteAllText(Path.Combine(wide, $"a name that takes some room {i}"), "");
        }

        return tree;
    }
}
