using System.CommandLine;
using System.Globalization;
using System.Text;

namespace BtrfsClone.Cli.Documents;

/// <summary>The manual page btrfs-clone(1), in the macros of man(7).</summary>
internal static class ManualPage
{
    private const string Rest = """
        .SH EXIT STATUS
        .TP
        .B 0
        All is done. For
        .BR compare :
        it is a clone.
        .TP
        .B 1
        Something failed; each failure is a line on standard error. For
        .BR compare :
        it is no clone.
        .TP
        .B 2
        Wrong usage.
        .TP
        .BR 128 + \fIN\fP
        Signal
        .I N
        ended it, once everything temporary was removed.
        .SH NOTES
        Extents are shared within one filesystem only. The kernel refuses to share between files with and without checksums
        (NOCOW).
        .PP
        Names and patterns are bytes. A byte that is not UTF-8 is shown as \exe9 in messages, and is "\eudce9" in JSON.
        .SH SEE ALSO
        .BR cp (1),
        .BR filefrag (8),
        .BR btrfs (8),
        .BR ioctl_ficlone (2)

        """;

    /// <summary>The page.</summary>
    public static string Of(Command root, string version)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $".TH BTRFS\\-CLONE 1 \"\" \"btrfs\\-clone {version}\" \"User Commands\"\n");
        text.Append(".SH NAME\nbtrfs\\-clone \\- clone files and directory trees on btrfs by sharing their extents\n.SH SYNOPSIS\n");
        Command[] verbs = [.. root.Subcommands.Where(verb => !verb.Hidden)];
        foreach (Command verb in verbs)
        {
            string arguments = string.Join(' ', verb.Arguments.Select(argument => argument.Name));
            text.Append(CultureInfo.InvariantCulture, $".B btrfs\\-clone {Escaped(verb.Name)}\n");
            text.Append(CultureInfo.InvariantCulture, $"[\\fIoptions\\fP] {Escaped(arguments)}\n.br\n");
        }

        text.Append(".SH DESCRIPTION\n").Append(Line(root.Description!));
        foreach (Command verb in verbs)
        {
            text.Append(CultureInfo.InvariantCulture, $".SS {Escaped(verb.Name)}\n").Append(Line(verb.Description!));
            foreach (Argument argument in verb.Arguments)
            {
                text.Append(CultureInfo.InvariantCulture, $".TP\n.I {Escaped(argument.Name)}\n").Append(Line(argument.Description ?? ""));
            }

            foreach (OptionFacts option in OptionFacts.Of(verb))
            {
                string names = string.Join(", ", option.Names.Select(name => $"\\fB{Escaped(name)}\\fP"));
                string value = option.Value is null ? "" : $" \\fI{Escaped(option.Value)}\\fP";
                text.Append(CultureInfo.InvariantCulture, $".TP\n{names}{value}\n").Append(Line(option.Text));
            }
        }

        return text.Append(Rest).ToString();
    }

    private static string Escaped(string text) =>
        text.Replace(@"\", @"\e", StringComparison.Ordinal).Replace("-", @"\-", StringComparison.Ordinal);

    /// <summary>A line of text, which is never a request, whatever it begins with.</summary>
    private static string Line(string text) => (text.StartsWith('.') || text.StartsWith('\'') ? @"\&" : "") + Escaped(text) + "\n";
}
