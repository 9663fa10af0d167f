using System.CommandLine;
using System.Globalization;
using System.Text;

namespace BtrfsClone.Cli.Documents;

/// <summary>Scripts for completing the command line in shells.</summary>
internal static class ShellCompletion
{
    /// <summary>A function for bash; file names are completed by bash itself.</summary>
    public static string Bash(Command root)
    {
        StringBuilder text = new("""
            # bash completion for btrfs-clone
            _btrfs_clone() {
                local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words=
                COMPREPLY=()
                # The word before an equals sign is the option.
                if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi

            """);
        text.Append("    if ((COMP_CWORD == 1)); then\n        words='").AppendJoin(' ', Verbs(root).Select(verb => verb.Name))
            .Append(" --help --version'\n    else\n        case \"$verb $prev\" in\n");
        foreach (Command verb in Verbs(root))
        {
            foreach (OptionFacts option in OptionFacts.Of(verb).Where(option => option.Words.Length > 0))
            {
                text.Append("            ").AppendJoin(" | ", option.Names.Select(name => $"'{verb.Name} {name}'"))
                    .Append(") words='").AppendJoin(' ', option.Words).Append("' ;;\n");
            }
        }

        text.Append("""
                        'completion completion') words='bash zsh fish' ;;
                        *)
                            if [[ $cur == -* ]]; then
                                case $verb in

            """);
        foreach (Command verb in Verbs(root))
        {
            text.Append("                        ").Append(verb.Name).Append(") words='")
                .AppendJoin(' ', OptionFacts.Of(verb).SelectMany(option => option.Names)).Append("' ;;\n");
        }

        text.Append("""
                                esac
                            fi ;;
                    esac
                fi
                [ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
            }
            complete -o default -F _btrfs_clone btrfs-clone

            """);
        return text.ToString();
    }

    /// <summary>A function for zsh, to be stored as <c>_btrfs-clone</c> in a folder of <c>fpath</c>.</summary>
    public static string Zsh(Command root)
    {
        StringBuilder text = new("#compdef btrfs-clone\nlocal -a verbs\nverbs=(\n");
        foreach (Command verb in Verbs(root))
        {
            text.Append(CultureInfo.InvariantCulture, $"    {Quoted($"{verb.Name}:{verb.Description}")}\n");
        }

        text.Append("""
            )
            _arguments -C '1:verb:->verb' '*::argument:->argument' && return
            case $state in
                verb) _describe verb verbs ;;
                argument)
                    case $words[1] in

            """);
        foreach (Command verb in Verbs(root))
        {
            text.Append("            ").Append(verb.Name).Append(")\n                _arguments");
            foreach (OptionFacts option in OptionFacts.Of(verb))
            {
                string what = option.Text.Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal)
                    .Replace(":", "\\:", StringComparison.Ordinal);
                string value = option.Value is null ? ""
                    : option.Words.Length > 0 ? $":{option.Value}:({string.Join(' ', option.Words)})"
                    : option.TakesPath ? $":{option.Value}:_files"
                    : $":{option.Value}: ";
                foreach (string name in option.Names)
                {
                    text.Append(" \\\n                    ").Append(Quoted($"*{name}[{what}]{value}"));
                }
            }

            string rest = verb.Name == "completion" ? "'*:shell:(bash zsh fish)'" : "'*:path:_files'";
            text.Append(CultureInfo.InvariantCulture, $" \\\n                    {rest} ;;\n");
        }

        return text.Append("        esac ;;\nesac\n").ToString();
    }

    /// <summary>Lines for fish.</summary>
    public static string Fish(Command root)
    {
        StringBuilder text = new("# fish completion for btrfs-clone\n");
        foreach (Command verb in Verbs(root))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"complete -c btrfs-clone -n __fish_use_subcommand -f -a {verb.Name} -d {Fished(verb.Description!)}\n");
        }

        foreach (Command verb in Verbs(root))
        {
            foreach (OptionFacts option in OptionFacts.Of(verb))
            {
                text.Append(CultureInfo.InvariantCulture, $"complete -c btrfs-clone -n '__fish_seen_subcommand_from {verb.Name}'");
                foreach (string name in option.Names)
                {
                    text.Append(name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]}" : $" -s {name[1..]}");
                }

                text.Append(
                    option.Value is null ? ""
                    : option.Words.Length > 0 ? $" -x -a '{string.Join(' ', option.Words)}'"
                    : option.TakesPath ? " -r"
                    : " -x");
                text.Append(CultureInfo.InvariantCulture, $" -d {Fished(option.Text)}\n");
            }
        }

        return text.Append("complete -c btrfs-clone -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n").ToString();
    }

    private static IEnumerable<Command> Verbs(Command root) => root.Subcommands.Where(verb => !verb.Hidden);

    private static string Quoted(string text) => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static string Fished(string text) =>
        $"'{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", @"\'", StringComparison.Ordinal)}'";
}
