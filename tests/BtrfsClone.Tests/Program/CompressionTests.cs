using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>copy --compression</c>, as btrfs-progs shows the property.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class CompressionTests
{
    private readonly string _folder;

    public CompressionTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Sh("""
            mkdir -p s/d; head -c 90000 /dev/urandom > s/f; cp s/f s/d/readonly; chmod 444 s/d/readonly; echo small > s/d/small
            touch s/other; btrfs property set s/other compression lzo; touch s/nocow; chattr +C s/nocow; head -c 9000 /dev/zero > s/nocow
            ln -s f s/link; mkfifo s/fifo; touch -d 2001-01-01 s/f s/d s; sync -f .
            """);
    }

    [BtrfsTheory(Needs = "btrfs")]
    [InlineData("zstd")]
    [InlineData("zstd:15")]
    [InlineData("zlib:9")]
    [InlineData("lzo")]
    [InlineData("none")]
    public void Clones_get_the_property_and_stay_shared(string value)
    {
        ShellResult result = Run($"copy --compression {value} s new");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        foreach (string name in (string[])["", "/f", "/d", "/d/readonly", "/d/small", "/other"])
        {
            Assert.Equal($"compression={value}\n", Sh($"btrfs property get new{name} compression"));
        }

        Assert.Equal("", Sh("btrfs property get new/nocow compression"));
        Assert.Equal("", Sh("btrfs property get s/f compression"));
        Assert.Equal(0, Run("compare s/f new/f").ExitCode);
        Assert.Equal(0, Run("compare s/d/readonly new/d/readonly").ExitCode);
        string facts = "find . -printf '%P %y %m %U:%G %s %T@\\n' | LC_ALL=C sort";
        Assert.Equal(Sh($"cd s; {facts}"), Sh($"cd new; {facts}"));
        Sh("echo more > new/d/later; head -c 1000000 /dev/zero > new/f; sync -f .");
        // The kernel hands on the algorithm alone, and of "none" a flag.
        string inherited = value == "none" ? "" : $"compression={value.Split(':')[0]}\n";
        Assert.Equal(inherited, Sh("btrfs property get new/d/later compression"));
        Assert.Equal(value == "none", Sh("lsattr new/d/later").Split(' ')[0].Contains('m', StringComparison.Ordinal));
        Assert.Equal(value != "none", Sh("filefrag -v new/f").Contains("encoded", StringComparison.Ordinal));
    }

    [BtrfsTheory]
    [InlineData("zstd:16")]
    [InlineData("zstd:0")]
    [InlineData("zstd:+3")]
    [InlineData("lzo:1")]
    [InlineData("gzip")]
    [InlineData("zlib:")]
    [InlineData("''")]
    public void What_is_no_compression_is_refused(string value)
    {
        ShellResult result = Run($"copy --compression {value} s new");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--compression takes zstd or", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, Run("copy --compression zstd --snapshot s new").ExitCode);
        Assert.False(Path.Exists(Path.Combine(_folder, "new")));
    }

    private string Sh(string script) => Shell.Check("sh", "-ec", $"cd '{_folder}'; {script}");

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);
}
