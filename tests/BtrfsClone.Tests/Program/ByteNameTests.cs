using System.Text;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>
/// Words of the command line and working directories that are not UTF-8. Scripts give them, since .NET cannot: in them
/// <c>@</c> is the byte 0xe9, and <c>%</c> the program. Beside each such name lies another one, which a decoder makes of it.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ByteNameTests(ScratchBtrfs btrfs)
{
    private const string Decoded = "caf\ufffd";

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory]
    [InlineData("% copy caf@ new@")]
    [InlineData("% copy --atomic caf@ new@")]
    [InlineData("% copy --reflink=auto ./caf@ \"$PWD/new@\"")]
    [InlineData("mkdir new@; % copy caf@ new@; mv new@/caf@ x; rmdir new@; mv x new@")]
    [InlineData("mkdir @; cd @; % copy ../caf@ new@; mv new@ ..; cd ..; rmdir @")]
    [InlineData("% range caf@ new@")]
    [InlineData("% range caf@:0:0 new@:0")]
    [InlineData("ln -s caf@ link@; % copy -- caf@ new@; rm link@")]
    public void The_bytes_are_taken_as_they_are(string script)
    {
        ShellResult result = Run("printf right >caf@; printf wrong >caf\uFFFD; printf wrong >new\uFFFD; " + script);

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(["caf@", Decoded, "new@", "new\uFFFD"], Names("."));
        Assert.Equal("right wrong right wrong", Run("for f in *; do cat \"$f\"; echo; done").Output.Trim().Replace('\n', ' '));
    }

    [BtrfsTheory]
    [InlineData("% copy a@ a\\\\ b@ b\uFFFD into")]
    [InlineData("% copy --atomic a@ a\\\\ b@ b\uFFFD into")]
    [InlineData("% copy --relative-base=. a@ a\\\\ b@ b\uFFFD into")]
    public void Names_that_one_decoder_makes_equal_stay_apart(string script)
    {
        Assert.Equal(0, Run("for f in a@ a\\\\ b@ b\uFFFD; do printf %s \"$f\" >\"$f\"; done").ExitCode);

        ShellResult result = Run(script);

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(["a@", "a\\", "b@", "b\uFFFD"], Names("into"));
        Assert.Equal(0, Run("cd into; for f in *; do cmp \"$f\" \"../$f\" || exit; done").ExitCode);
    }

    [BtrfsTheory]
    [InlineData("--include=*@", "x@", "sub")]
    [InlineData("--exclude=*@", "x\uFFFD", "y", "sub")]
    [InlineData("--exclude=?@", "x\uFFFD", "y", "sub")]
    public void Patterns_match_bytes(string option, params string[] expected)
    {
        ShellResult result = Run($"mkdir -p tree@/sub; touch tree@/x@ tree@/x\uFFFD tree@/y; % copy '{option}' tree@ new@");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(expected.Order(StringComparer.Ordinal), Names("new@"));
    }

    [BtrfsFact]
    public void A_base_directory_is_bytes()
    {
        ShellResult result = Run("mkdir -p base@/sub@ base\uFFFD; echo 1 >base@/sub@/f@; % copy --relative-base=base@ base@/sub@/f@ into@");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(["sub@"], Names("into@"));
        Assert.Equal(0, Run("cmp base@/sub@/f@ into@/sub@/f@").ExitCode);
    }

    [RootTheory]
    [InlineData("% copy --snapshot sub@ new@")]
    [InlineData("% copy --point-in-time sub@ new@")]
    [InlineData("% copy --point-in-time sub@/ new@")]
    public void Snapshots_have_names_of_bytes(string script)
    {
        ShellResult result = Run(
            "btrfs -q subvolume create sub@ && mkdir sub@/d@ sub\uFFFD new\uFFFD && echo 1 >sub@/d@/f@ && " +
            $"{script} && cmp sub@/d@/f@ new@/d@/f@");

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal(["new@", "new\uFFFD", "sub@", "sub\uFFFD"], Names("."));
    }

    [BtrfsFact]
    public void Verbs_that_only_look_take_bytes()
    {
        Assert.Equal(0, Run(
            "head -c 8192 /dev/urandom >caf@; cp --reflink=always caf@ clone@; head -c 4096 /dev/urandom >caf\uFFFD; " +
            "cp caf\uFFFD clone\uFFFD; sync -f .").ExitCode);

        ShellResult wait = Run("% wait caf@ .");
        ShellResult compare = Run("% compare --json caf@ clone@");
        ShellResult extents = Run("% extents caf@");
        ShellResult measure = Run("% measure caf@");
        ShellResult merge = Run("cp --reflink=never caf@ other@; % merge caf@ other@; % compare caf@ other@ >/dev/null");

        Assert.Equal(new ShellResult(0, "", ""), wait);
        Assert.Equal((0, ""), (compare.ExitCode, compare.Error));
        Assert.Contains("\"SharedLength\":8192,", compare.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), (extents.ExitCode, extents.Error));
        Assert.StartsWith($"{_folder}/caf\\xe9\n", extents.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), (measure.ExitCode, measure.Error));
        Assert.EndsWith($"{_folder}/caf\\xe9\n", measure.Output, StringComparison.Ordinal);
        Assert.Equal((0, ""), (merge.ExitCode, merge.Error));
    }

    [BtrfsTheory(Needs = "python3")]
    [InlineData("extents")]
    [InlineData("measure")]
    [InlineData("compare other@")]
    public void Json_holds_the_bytes(string verb)
    {
        // U+DCE9 in place of the byte is what Python has for it too.
        const string Read =
            "import json, os, sys; " +
            "[sys.stdout.buffer.write(os.fsencode(json.loads(line)[\"Path\"]) + b\"\\n\") for line in sys.stdin]";
        string name = "c@ \u20ac \U0001f600 \uFFFD \\\\ \\\" <&>";

        string command = verb.Contains(' ', StringComparison.Ordinal)
            ? verb.Replace(" ", " --json ", StringComparison.Ordinal)
            : verb + " --json";
        ShellResult result = Run($"head -c 9000 /dev/urandom >\"{name}\"; cp --reflink=always \"{name}\" other@; sync -f .; " +
            $"% {command} \"{name}\" >out && " +
            $"python3 -c \"$1\" <out >read && printf '%s\\n' \"$PWD/{name}\" | cmp - read", Read);

        Assert.Equal(new ShellResult(0, "", ""), result);
    }

    [BtrfsTheory]
    [InlineData("% copy caf@ new@", "caf\\xe9: ")]
    [InlineData("% extents caf@", "caf\\xe9: ")]
    [InlineData("% measure x/../caf@", "x/../caf\\xe9: ")]
    [InlineData("% wait caf@/..", "caf\\xe9/..: ")]
    [InlineData("% copy --caf@ a b", "Unrecognized option '--caf\\xe9'.")]
    public void An_error_shows_the_bytes_and_takes_no_other_file(string script, string shown)
    {
        ShellResult result = Run("printf wrong >caf\uFFFD; " + script);

        Assert.InRange(result.ExitCode, 1, 2);
        Assert.Contains(shown, result.Error, StringComparison.Ordinal);
        Assert.Equal([Decoded], Names("."));
    }

    [RootFact(Needs = "unshare")]
    public void Without_proc_a_name_that_may_be_another_one_is_refused()
    {
        if (Support.Program.IsManaged)
        {
            return; // The runtime does not start there.
        }

        ShellResult result = Run(
            "printf wrong >caf\uFFFD; printf right >caf@; unshare --mount sh -c \"umount -l /proc; % copy caf@ new; % copy caf? new@\"");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("/proc", result.Error, StringComparison.Ordinal);
        Assert.Equal(["caf@", Decoded], Names("."));
    }

    [BtrfsTheory]
    [InlineData("% copy link/../f new")]
    [InlineData("cd away/inner; % copy ../f ../../new")]
    [InlineData("cd link; % copy ../f ../../new")]
    [InlineData("% copy away/f link/../../new")]
    public void Two_dots_after_a_link_are_above_its_target(string script)
    {
        ShellResult result = Run("mkdir -p away/inner; ln -s away/inner link; printf right >away/f; printf wrong >f; " + script);

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal("right", File.ReadAllText(Path.Combine(_folder, "new")));
    }

    /// <summary>Runs a script in the folder.</summary>
    private ShellResult Run(string script, string argument = "")
    {
        byte[] text = Encoding.UTF8.GetBytes(
            $"cd '{_folder}' || exit; set -- '{argument}'\n" + script.Replace("%s", "\0", StringComparison.Ordinal)
                .Replace("%", $"'{Support.Program.File}'", StringComparison.Ordinal).Replace("\0", "%s", StringComparison.Ordinal));
        byte[] bytes = Array.ConvertAll(text, b => b == '@' ? (byte)0xe9 : b);
        (int exitCode, byte[] output, string error) = Shell.RunBytes(bytes, "sh");
        return new ShellResult(exitCode, Encoding.UTF8.GetString(output), error);
    }

    /// <summary>The names in a folder as find(1) gives them, sorted.</summary>
    private string[] Names(string folder)
    {
        byte[] script = Encoding.UTF8.GetBytes($"cd '{_folder}' && cd {folder} && find . -mindepth 1 -maxdepth 1 -printf '%f\\0'");
        byte[] output = Shell.CheckBytes(Array.ConvertAll(script, b => b == '@' ? (byte)0xe9 : b), "sh");
        string[] names = Encoding.Latin1.GetString(output).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return [.. names.Select(n => n.Contains("\u00ef\u00bf\u00bd", StringComparison.Ordinal)
            ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(n))
            : n.Replace('\u00e9', '@')).Order(StringComparer.Ordinal)];
    }
}
