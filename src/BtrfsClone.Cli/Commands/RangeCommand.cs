using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone range</c>: one range of a file.</summary>
internal static partial class RangeCommand
{
    public static Command Create()
    {
        Argument<string> source = new("SOURCE[:OFFSET[:LENGTH]]")
        {
            Description = "The file to clone from, and bytes, with the suffixes k, m and g. Length 0 is up to the end. " +
                "A name that itself ends in a colon and a number needs both, such as a:7:0:0.",
        };
        Argument<string> destination = new("DESTINATION[:OFFSET]")
        {
            Description = "The file to clone into; made when it is missing, never truncated. The offset is the source's " +
                "unless given.",
        };
        Command command = new("range", "Clone a range of a file.") { source, destination };
        Validate(source, SourcePattern());
        Validate(destination, DestinationPattern());
        command.SetAction(parsed =>
        {
            Match from = SourcePattern().Match(parsed.GetValue(source)!);
            Match to = DestinationPattern().Match(parsed.GetValue(destination)!);
            return Invocation.Run(_ =>
            {
                using var cloner = new RangeCloner();
                cloner.Clone(
                    FullPath.Of(from.Groups["path"].Value), FullPath.Of(to.Groups["path"].Value, BtrfsError.DestinationNotFound),
                    Number(from.Groups["offset"]) ?? 0, Number(from.Groups["length"]) ?? 0, Number(to.Groups["offset"]));
            });
        });
        return command;
    }

    private static void Validate(Argument<string> argument, Regex pattern) =>
        argument.Validators.Add(result =>
        {
            Match match = pattern.Match(result.Tokens[0].Value);
            foreach (Group number in match.Groups.Values.Where(g => g.Name is "offset" or "length"))
            {
                if (number.Success && Number(number) is null)
                {
                    result.AddError($"'{number.Value}' is more bytes than a file can have.");
                    return;
                }
            }

            if (!match.Success)
            {
                result.AddError("A path is needed.");
            }
        });

    /// <summary>The bytes of a number with its suffix, or null if there is none or it is too large.</summary>
    private static long? Number(Group group)
    {
        if (!group.Success)
        {
            return null;
        }

        int shift = char.ToLowerInvariant(group.Value[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        string digits = shift == 0 ? group.Value : group.Value[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value) &&
            value <= long.MaxValue >> shift
            ? value << shift
            : null;
    }

    // From the right, and only numbers: every other colon belongs to the name.
    [GeneratedRegex(
        "^(?<path>.+?)(:(?<offset>[0-9]+[kmgKMG]?)(:(?<length>[0-9]+[kmgKMG]?))?)?\\z",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex SourcePattern();

    [GeneratedRegex("^(?<path>.+?)(:(?<offset>[0-9]+[kmgKMG]?))?\\z", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex DestinationPattern();
}
