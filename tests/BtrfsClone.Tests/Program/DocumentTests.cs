using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary>The manual page and the completions, which say what <c>--help</c> says.</summary>
public sealed class DocumentTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("btrfs-clone-documents").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [BtrfsFact(Needs = "groff")]
    public void The_manual_page_has_every_option_and_no_mistake()
    {
        Write("page", "manual");
        ShellResult shown = Shell.Run("sh", "-c", "groff -man -Tutf8 -ww -P-cbou $0/page", _folder);
        string page = string.Join(' ', shown.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((0, ""), (shown.ExitCode, shown.Error));
        foreach (string verb in Verbs())
        {
            string help = Shell.Check(Support.Program.File, verb, "--help");
            foreach (string word in help.Split((char[])[' ', ',', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .Where(word => word.StartsWith("--", StringComparison.Ordinal) && word.Length > 3 && word != "--help"))
            {
                Assert.Contains(word.TrimEnd('.', ';', ':'), page, StringComparison.Ordinal);
            }
        }
    }

    [BtrfsTheory(Needs = "bash")]
    [InlineData("btrfs-clone du", "duplicates")]
    [InlineData("btrfs-clone copy --at", "--atomic")]
    [InlineData("btrfs-clone copy --reflink a", "always auto")]
    [InlineData("btrfs-clone copy --reflink = al", "always")]
    [InlineData("btrfs-clone sync --check ''", "extent time")]
    [InlineData("btrfs-clone completion z", "zsh")]
    [InlineData("btrfs-clone copy some", "")]
    public void Bash_completes(string line, string expected)
    {
        Write("bash", "completion", "bash");
        string script = $". $0/bash; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _btrfs_clone; echo ${{COMPREPLY[*]}}";

        Assert.Equal(expected + "\n", Shell.Check("bash", "-euc", script, _folder));
    }

    [BtrfsTheory(Needs = "fish")]
    [InlineData("btrfs-clone du", "duplicates")]
    [InlineData("btrfs-clone copy --at", "--atomic")]
    [InlineData("btrfs-clone copy --reflink a", "always auto")]
    [InlineData("btrfs-clone completion z", "zsh")]
    public void Fish_completes(string line, string expected)
    {
        Write("fish", "completion", "fish");

        string found = Shell.Check("fish", "-c", $"source {_folder}/fish; complete -C '{line}'");

        Assert.Equal(
            expected, string.Join(' ', found.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('\t')[0])));
    }

    [BtrfsFact(Needs = "zsh")]
    public void Zsh_reads_its_script()
    {
        Write("_btrfs-clone", "completion", "zsh");
        string script = "autoload -U compinit; compinit -u -d $0/dump; _arguments() { print -r -- \"${(j:|:)@}\"; return 1 }; " +
            "_describe() { print -r -- ${(P)2} }; state=argument; words=(copy); . $0/_btrfs-clone; true";

        string found = Shell.Check("zsh", "-fc", script, _folder);

        Assert.Contains("*--reflink[", found, StringComparison.Ordinal);
        Assert.Contains(":always|auto:(always auto)", found, StringComparison.Ordinal);
    }

    private static string[] Verbs() =>
        [.. Shell.Check(Support.Program.File, "--help").Split("Commands:")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line[2] != ' ').Select(line => line.Trim().Split(' ')[0])];

    private void Write(string name, params string[] arguments) =>
        File.WriteAllText(Path.Combine(_folder, name), Shell.Check(Support.Program.File, arguments));
}
