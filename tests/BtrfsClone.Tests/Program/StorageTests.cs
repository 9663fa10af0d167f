using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>Clones that are NOCOW or compressed otherwise than their sources, as lsattr and btrfs-progs show it.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class StorageTests
{
    private const string Flags = "find . -type f -o -type d | LC_ALL=C sort | while read -r f; " +
        "do echo \"$f $(lsattr -d $f | cut -d' ' -f1) $(btrfs property get $f compression)\"; done";

    private const string Facts =
        "find . -printf '%P %y %m %U:%G %T@ %l\\n' | LC_ALL=C sort; find . -type f | LC_ALL=C sort | xargs sha256sum";

    // The bytes of the files that are not NOCOW, each once.
    private const string CowBytes = "find . -type f ! -path './d/hard' | while read -r f; " +
        "do case $(lsattr $f) in *C*) ;; *) stat -c %s $f ;; esac; done";

    private readonly string _folder;

    public StorageTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Sh("""
            mkdir -p s/d/e s/images s/zlib plain nocow zstd none; head -c 900000 /dev/urandom > s/f; head -c 90000 /dev/urandom > s/d/e/g
            echo small > s/d/small; : > s/empty; ln s/f s/d/hard; ln -s f s/link; mkfifo s/fifo; chattr +D s/d; chmod 2750 s/d
            chattr +C s/images nocow; head -c 300000 /dev/urandom > s/images/disk
            touch s/lone; chattr +C s/lone; head -c 9000 /dev/urandom > s/lone
            btrfs property set s/zlib compression zlib; head -c 200000 /dev/zero > s/zlib/z; touch -d 2001-01-01 s/f s/d s
            btrfs property set zstd compression zstd; btrfs property set none compression none; sync -f .
            """);
    }

    [BtrfsTheory(Needs = "lsattr")]
    [InlineData("")]
    [InlineData("--atomic")]
    [InlineData("--point-in-time")]
    public void All_is_made_NOCOW_and_only_what_was_is_shared(string options)
    {
        ShellResult result = Run($"copy --no-cow --reflink auto {options} s new");

        long bytes = Lines(Sh($"cd s; {CowBytes}")).Sum(long.Parse);
        Assert.Equal((0, $"btrfs-clone: {bytes} bytes could not be shared and were copied. " +
            "NOCOW files and copy-on-write files cannot share data.\n"), (result.ExitCode, result.Error));
        Assert.All(Lines(Sh($"cd new; {Flags}")), line => Assert.Matches("^[^ ]+ [^c ]*C[^c ]* $", line));
        Assert.Equal(Sh($"cd s; {Facts}"), Sh($"cd new; {Facts}"));
        Assert.Equal(0, Run("compare s/images/disk new/images/disk").ExitCode);
        Assert.Equal(0, Run("compare s/lone new/lone").ExitCode);
    }

    [BtrfsFact(Needs = "lsattr")]
    public void What_cannot_be_shared_is_not_copied_unless_that_is_asked_for()
    {
        ShellResult result = Run("copy --no-cow s new");

        Assert.Equal(1, result.ExitCode);
        Assert.All(Lines(result.Error), line => Assert.Contains("a NOCOW file and a copy-on-write file cannot share", line));
        Assert.All(Lines(result.Error), line => Assert.Contains("with --reflink auto", line));
        Assert.Equal("./empty\n./images/disk\n./lone\n", Sh("cd new; find . -type f | LC_ALL=C sort"));
        Assert.Equal(0, Run("copy --no-cow s/images alone").ExitCode);
    }

    [BtrfsTheory(Needs = "lsattr")]
    [InlineData("plain")]
    [InlineData("nocow")]
    [InlineData("zstd")]
    [InlineData("none")]
    public void Clones_are_stored_as_new_files_of_their_directory(string directory)
    {
        Sh($"mkdir {directory}/cp; cp -r --reflink=auto s {directory}/cp");

        Assert.Equal(0, Run($"copy --inherit-property --reflink auto s {directory}").ExitCode);
        Assert.Equal(0, Run($"copy --inherit-property --reflink auto --atomic s {directory}/atomic").ExitCode);

        string witness = Sh($"cd {directory}/cp/s; {Flags}");
        Assert.Equal(witness, Sh($"cd {directory}/s; {Flags}").Replace('D', '-')); // That flag of d, which cp does not keep.
        Assert.Equal(witness, Sh($"cd {directory}/atomic; {Flags}").Replace('D', '-'));
        Assert.Equal(Sh($"cd s; {Facts}"), Sh($"cd {directory}/s; {Facts}"));
        string shared = directory == "nocow" ? "images/disk" : "f";
        Assert.Equal(0, Run($"compare s/{shared} {directory}/s/{shared}").ExitCode);
    }

    [BtrfsFact(Needs = "lsattr")]
    public void Directories_that_are_there_keep_what_they_have()
    {
        Sh("mkdir -p into/s/d into/s/images into/s/zlib; chattr +C into/s/d; btrfs property set into/s/images compression zstd:5");
        Sh("setfacl -d -m u:1234:rwx into/s; echo old > into/s/f");

        Assert.Equal(0, Run("copy --inherit-property --reflink auto s into").ExitCode);

        // Of two names in different directories, either may be the one that the file is made under.
        string[] flags = [.. Lines(Sh($"cd into/s; {Flags}")).Where(line => !line.StartsWith("./d/hard ", StringComparison.Ordinal))];
        Assert.All(flags.Where(line => line.StartsWith("./d", StringComparison.Ordinal)), line => Assert.Contains('C', line));
        Assert.All(flags.Where(line => line.StartsWith("./zlib", StringComparison.Ordinal)), line => Assert.EndsWith("-- ", line));
        Assert.Single(flags, line => Regex.IsMatch(line, "^./images .*=zstd:5$"));
        Assert.Single(flags, line => Regex.IsMatch(line, "^./images/disk .*=zstd$"));
        Assert.Equal(Sh($"cd s; {Facts}"), Sh($"cd into/s; {Facts}"));
    }

    [BtrfsTheory(Needs = "lsattr")]
    [InlineData("zstd", "c", "compression=zstd")]
    [InlineData("nocow", "-", "")]
    [InlineData("plain", "-", "")]
    [InlineData("none", "m", "")]
    public void Compression_alone_is_that_of_the_directory_and_all_is_shared(string directory, string flag, string property)
    {
        ShellResult result = Run($"copy --compression Inherit s {directory}");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(0, Run($"compare s {directory}/s").ExitCode);
        foreach (string line in Lines(Sh($"cd {directory}/s; {Flags}")))
        {
            string[] words = line.Split(' ');
            bool isNoCow = words[0] is "./lone" or "./images" or "./images/disk";
            Assert.Equal(isNoCow, words[1].Contains('C', StringComparison.Ordinal));
            Assert.Equal(isNoCow ? "" : property, words[2]);
            string compression = isNoCow ? flag.Replace('c', '-') : flag;
            Assert.Equal(compression, words[1].Contains('c', StringComparison.Ordinal) ? "c" : words[1][^1..]);
        }

        Assert.Equal(Sh($"cd s; {Facts}"), Sh($"cd {directory}/s; {Facts}"));
    }

    [RootFact(Needs = "mkfs.xfs")]
    public void What_a_filesystem_does_not_know_is_an_error_or_is_told()
    {
        using ScratchImage xfs = new(400 << 20, "noatime", "mkfs.xfs", "-q");
        Sh($"echo data > {xfs.Root}/f");

        ShellResult refused = Run($"copy --no-cow {xfs.Root}/f {xfs.Root}/clone");
        ShellResult told = Run($"copy --no-cow --reflink auto {xfs.Root}/f {xfs.Root}/other");

        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("the filesystem cannot hold this part of the metadata", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists($"{xfs.Root}/clone"));
        Assert.Equal(0, told.ExitCode);
        Assert.Contains("1 inode flag could not be kept (NOCOW)", told.Error, StringComparison.Ordinal);
        ShellResult inherited = Run($"copy --inherit-property {xfs.Root}/f {xfs.Root}/third");
        Assert.Equal((0, ""), (inherited.ExitCode, inherited.Error));
    }

    [BtrfsTheory]
    [InlineData("--no-cow --inherit-property", "--no-cow and --inherit-property cannot be used together")]
    [InlineData("--no-cow --compression zstd", "--no-cow and --compression cannot be used together")]
    [InlineData("--inherit-property --compression none", "--inherit-property and --compression cannot be used together")]
    [InlineData("--snapshot --no-cow", "--snapshot and --no-cow cannot be used together")]
    [InlineData("--snapshot --inherit-property", "--snapshot and --inherit-property cannot be used together")]
    public void What_does_not_go_together_is_refused(string options, string told)
    {
        ShellResult result = Run($"copy {options} s new");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(told, result.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(Path.Combine(_folder, "new")));
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string Sh(string script) => Shell.Check("sh", "-ec", $"cd '{_folder}'; {script}");

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);
}
