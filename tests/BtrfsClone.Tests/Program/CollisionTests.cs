using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone copy</c> where two names are one: nothing is lost, and a line says so.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CollisionTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory]
    [InlineData]
    [InlineData("--atomic")]
    [InlineData("--force")]
    public void A_link_does_not_replace_its_target(params string[] options)
    {
        ShellResult result = Run(options, "echo precious > foo; ln -s foo l; $0 copy $@ l foo");

        AssertFailed(result, "foo: source and destination are the same file: ");
        Assert.Equal("precious\n", File.ReadAllText(At("foo")));
        Assert.Equal("foo\nl\n", Shell.Check("ls", "-A", _folder));
    }

    [BtrfsTheory]
    [InlineData]
    [InlineData("--atomic")]
    public void Two_items_of_one_name(params string[] options)
    {
        ShellResult result = Run(options, "mkdir a b c; echo 1 > a/f; echo 2 > b/f; $0 copy $@ a/f b/f c");

        Assert.Contains("c/f: the name is taken by what has just been cloned from another item: ", result.Error, StringComparison.Ordinal);
        Assert.Contains("--relative-base", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(options.Length == 0 ? "f\n" : "", Shell.Check("ls", "-A", At("c")));
        Assert.True(options.Length > 0 || File.ReadAllText(At("c/f")) == "1\n");
    }

    [BtrfsFact]
    public void Files_that_meet_in_trees_which_are_merged()
    {
        ShellResult result = Run([], "mkdir -p a/d b/d c/d; echo 1 > a/d/f; echo 2 > b/d/f; echo 3 > b/d/g; $0 copy a/d b/d c");

        AssertFailed(result, "c/d/f: the name is taken by ");
        Assert.Equal(["1\n", "3\n"], new[] { "f", "g" }.Select(f => File.ReadAllText(At($"c/d/{f}"))));
    }

    [BtrfsFact]
    public void An_item_that_is_given_twice_is_cloned_once_as_cp_does()
    {
        ShellResult result = Run([], "mkdir -p d; echo 1 > d/f; echo 2 > g; $0 copy d d/ g ./g into && mkdir cp && cp -a d d/ g ./g cp");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(2, result.Error.Split('\n').Count(line =>
            line.StartsWith("btrfs-clone: ", StringComparison.Ordinal) && line.Contains("more than once", StringComparison.Ordinal)));
        Assert.Equal("", Shell.Check("diff", "-r", At("cp"), At("into")));
    }

    /// <summary>Runs a script with the program as $0.</summary>
    private ShellResult Run(string[] options, string script) => Shell.Run(
        "sh", ["-c", $"cd \"$1\" && shift && {script}", Support.Program.File, _folder, .. options]);

    private void AssertFailed(ShellResult result, string line)
    {
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"btrfs-clone: {_folder}/{line}", result.Error, StringComparison.Ordinal);
    }

    private string At(string path) => Path.Combine(_folder, path);
}
