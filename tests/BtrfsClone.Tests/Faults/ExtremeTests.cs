using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>The largest, longest, deepest, oldest and most linked that the filesystem can hold.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ExtremeTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory]
    [InlineData("")]
    [InlineData("--atomic")]
    public void As_many_links_to_one_inode_as_there_can_be(string option)
    {
        int links = TestMachine.IsThorough ? 65_535 : 3000; // BTRFS_LINK_MAX (fs/btrfs/ctree.h)
        string first = At("source/d0/0");
        for (int i = 0; i < links; i++)
        {
            string path = At($"source/d{i % 50}/{i}");
            if (i < 50)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            }

            if (i == 0)
            {
                File.WriteAllText(path, "content");
            }
            else
            {
                Native.Link(first, path);
            }
        }

        ShellResult result = Program.Run(["copy", .. Options(option), At("source"), At("clone")]);

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal($"{links}", Shell.Check("stat", "--format=%h", At("clone/d0/0")).Trim());
        Assert.Equal($"{links}", Shell.Check("sh", "-c", $"find '{At("clone")}' -samefile '{At("clone/d0/0")}' | wc -l").Trim());
        Assert.NotEqual(Shell.Check("stat", "--format=%i", first), Shell.Check("stat", "--format=%i", At("clone/d0/0")));
    }

    [RootFact(Needs = "mkfs.btrfs")]
    public void More_links_than_the_destination_can_hold()
    {
        // Without extended references, an inode's names in one directory have to fit into one block.
        using ScratchImage image = new(256 << 20, "noatime", "mkfs.btrfs", "--quiet", "-O", "^extref");
        string source = Directory.CreateDirectory(At("source")).FullName;
        string first = Path.Combine(source, new string('0', 250));
        File.WriteAllText(first, "content");
        for (int i = 1; i < 100; i++)
        {
            Native.Link(first, Path.Combine(source, $"{i}".PadLeft(250, '0')));
        }

        string clone = Path.Combine(image.Root, "clone");
        ShellResult result = Program.Run("copy", "--reflink=auto", source, clone);
        ShellResult atomic = Program.Run("copy", "--reflink=auto", "--atomic", source, clone + "2");

        Assert.Equal((1, 1), (result.ExitCode, atomic.ExitCode));
        string[] files = Directory.GetFiles(clone);
        int failures = result.Error.Split("as many hard links as it can have").Length - 1;
        Assert.InRange(failures, 1, 99);
        Assert.Equal(100 - failures, files.Length);
        Assert.Equal($"{files.Length}", Shell.Check("stat", "--format=%h", files[0]).Trim());
        Assert.Equal("clone\n", Shell.Check("ls", "-A", image.Root));
    }

    [BtrfsTheory(Needs = Fingerprint.Tools)]
    [InlineData("")]
    [InlineData("--atomic")]
    public void Names_as_long_as_can_be(string option)
    {
        string[] names = [new string('n', 255), new string('é', 127) + "x", "." + new string(' ', 254), new string('\\', 255)];
        foreach (string name in names)
        {
            Directory.CreateDirectory(At($"source/{name}"));
            File.WriteAllText(At($"source/{name}/{name}"), "content");
            File.CreateSymbolicLink(At($"source/{name}/{name[..^1]}"), name);
        }

        // Under a name of its own that is as long, and over existing files that have such names.
        string clone = new('c', 255);
        Assert.Equal(new ShellResult(0, "", ""), Program.Run(["copy", .. Options(option), At("source"), At(clone)]));
        Assert.Equal(Fingerprint.TextOf(At("source")), Fingerprint.TextOf(At(clone)));
        Assert.Equal(new ShellResult(0, "", ""), Program.Run("copy", At("source") + "/", At(clone)));
        Assert.Equal(Fingerprint.TextOf(At("source")), Fingerprint.TextOf(At(clone) + "/source"));
        string file = $"{names[0]}/{names[0]}";
        Assert.Equal(
            new ShellResult(0, "", ""),
            Program.Run(["copy", .. Options(option), At($"source/{file}"), At($"{clone}/{file}")]));
        Assert.Equal(
            1, Program.Run(["copy", .. Options(option), At($"source/{file}"), At(new string('t', 256))]).ExitCode);
        Assert.Equal(Fingerprint.TextOf(At("source")), Fingerprint.TextOf(At(clone) + "/source"));
    }

    [BtrfsTheory]
    [InlineData("")]
    [InlineData("--atomic")]
    public void Any_time(string option)
    {
        Directory.CreateDirectory(At("source"));
        string[] times =
        [
            "1901-01-01 00:00:00.000000001 UTC", "1969-12-31 23:59:59.999999999 UTC", "1970-01-01 00:00:00 UTC",
            "2038-01-19 03:14:08.5 UTC", "2106-02-07 06:28:16 UTC", "2446-05-10 22:38:56.123456789 UTC", "9999-12-31 UTC",
        ];
        for (int i = 0; i < times.Length; i++)
        {
            File.WriteAllText(At($"source/{i}"), "");
            Shell.Check("touch", "-a", "-d", times[i], At($"source/{i}"));
            Shell.Check("touch", "-m", "-d", times[^(i + 1)], At($"source/{i}"));
        }

        Shell.Check("touch", "-d", times[0], At("source"));

        Assert.Equal(new ShellResult(0, "", ""), Program.Run(["copy", .. Options(option), At("source"), At("clone")]));

        string Times(string root) => Shell.Check("sh", "-c", $"cd '{root}' && stat --format='%n %x %y' . *");
        Assert.Equal(Times(At("source")), Times(At("clone")));
        Assert.Contains("1901-01-01", Times(At("clone")), StringComparison.Ordinal);
    }

    [BtrfsTheory(Needs = "filefrag truncate dd")]
    [InlineData("")]
    [InlineData("--atomic")]
    public void Sparse_giants(string option)
    {
        Directory.CreateDirectory(At("source"));
        Shell.Check("truncate", "--size=9223372036854775807", At("source/8 EiB - 1"));
        Shell.Check("truncate", "--size=16T", At("source/16 TiB"));
        Shell.Check(
            "dd", "if=/dev/urandom", $"of={At("source/data at its end")}", "bs=4096", "count=1", "seek=2251799813685246",
            "status=none");
        Shell.Check("sync", "--file-system", _folder);

        Assert.Equal(new ShellResult(0, "", ""), Program.Run(["copy", .. Options(option), At("source"), At("clone")]));

        foreach (string name in (string[])["8 EiB - 1", "16 TiB", "data at its end"])
        {
            Assert.Equal(
                Shell.Check("stat", "--format=%s %b", At($"source/{name}")), Shell.Check("stat", "--format=%s %b", At($"clone/{name}")));
            Assert.Equal(Extents(At($"source/{name}")), Extents(At($"clone/{name}")));
        }

        static string Extents(string path) =>
            string.Join('\n', Shell.Check("filefrag", "-v", "-b1", path).Split('\n')
                .Where(line => line.Contains(": ", StringComparison.Ordinal))
                .Select(line => line[line.IndexOf(": ", StringComparison.Ordinal)..].Replace("shared", "", StringComparison.Ordinal))
                .Where(line => !line.Contains("extent", StringComparison.Ordinal)));
    }

    private static string[] Options(string option) => option.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private string At(string name) => Path.Combine(_folder, name);
}
