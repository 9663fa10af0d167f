using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>copy --verbose</c> names what <c>cp -v</c> names.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class VerboseTests
{
    private readonly string _folder;

    public VerboseTests(ScratchBtrfs btrfs)
    {
        _folder = btrfs.NewFolder();
        Sh("""
            mkdir -p s/a/b s/empty; echo 1 > s/f; ln s/f s/g; ln -s f s/l; mkfifo s/p; head -c 90000 /dev/zero > s/a/b/x
            touch 's/two words'
            for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i > s/a/$i; done
            """);
    }

    [BtrfsTheory(Needs = "cp")]
    [InlineData("", "")]
    [InlineData("", "mkdir -p ours/s/a theirs/s/a; echo old > ours/s/f; cp ours/s/f theirs/s")]
    [InlineData("--jobs 8", "")]
    [InlineData("--atomic", "")]
    [InlineData("--point-in-time", "")]
    [InlineData("-L", "")]
    public void Each_entry_is_named_as_cp_does(string options, string before)
    {
        Sh(before.Length == 0 ? "mkdir ours theirs" : before);

        ShellResult result = Run($"copy -v {options} $PWD/s ours");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string witness = Sh($"cp -av {(options == "-L" ? "-L" : "")} $PWD/s $PWD/theirs")
            .Replace("/theirs", "/ours", StringComparison.Ordinal);
        Assert.Equal(Lines(witness), Lines(result.Output));
        Assert.True(result.Output.IndexOf("/s/a'", StringComparison.Ordinal) < result.Output.IndexOf("/s/a/b'", StringComparison.Ordinal));
    }

    [BtrfsFact]
    public void Names_are_written_byte_by_byte()
    {
        Sh("touch \"s/$(printf 'caf\\351')\"");

        Assert.Equal("1\n", Sh($"'{Support.Program.File}' copy -v s new | LC_ALL=C grep -caF \"s/$(printf 'caf\\351')' -> '\""));
    }

    [BtrfsFact]
    public void With_json_each_entry_is_an_object_before_the_result()
    {
        JsonElement[] objects = [.. Lines(Run("copy -v --json s new").Output).Select(line => JsonDocument.Parse(line).RootElement)];

        int entries = int.Parse(Sh("find s | wc -l"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(entries + 1, objects.Length);
        Assert.Equal(entries, objects.Count(one => one.EnumerateObject().Select(p => p.Name).SequenceEqual(["Source", "Path"])));
        Assert.Single(objects, one => one.TryGetProperty("Files", out _));
        Assert.Contains(objects, one => one.GetProperty("Path").GetString() == $"{_folder}/new/a/b/x");
    }

    [BtrfsFact]
    public void What_fails_or_stays_is_not_named()
    {
        Sh("mkdir -p new/s/l; touch -d 2031-01-01 new/s/f");

        ShellResult result = Run("copy -v -u s/f s/l s/g new/s");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal([$"'{_folder}/s/g' -> '{_folder}/new/s/g'"], Lines(result.Output));
        Assert.Equal("", Run("copy s quiet").Output);
    }

    private static string[] Lines(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private string Sh(string script) => Shell.Check("sh", "-ec", $"cd '{_folder}'; {script}");

    private ShellResult Run(string words) => Shell.Run("sh", "-c", $"cd $0; $1 {words}", _folder, Support.Program.File);
}
