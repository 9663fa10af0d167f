using System.CommandLine;
using System.CommandLine.Parsing;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary>Options shared by several verbs that clone.</summary>
internal sealed class CloningOptions
{
    public CloningOptions()
    {
        Reflink.AcceptOnlyFromAmong("always", "auto");
        Jobs.Validators.Add(result =>
        {
            // By its text: the value of an argument that is not a number cannot be read.
            if (result.Tokens is not [{ Value: var text }] || !int.TryParse(text, out int count) ||
                count is < 1 or > CloneOptions.MaxWorkers)
            {
                result.AddError($"--jobs takes a number from 1 to {CloneOptions.MaxWorkers}.");
            }
        });
    }

    public Option<string?> Reflink { get; } = new("--reflink")
    {
        Description = "What cannot be cloned is an error (always, the default) or is copied (auto).",
        HelpName = "always|auto",
    };

    public static Option<bool> OneFileSystem() => new("--one-file-system", "-x")
    {
        Description = "Leave out other filesystems that are mounted below the given directories.",
    };

    /// <summary>For verbs that always stay on one filesystem.</summary>
    public static Option<bool> LeaveOutQuietly() => new("--one-file-system", "-x")
    {
        Description = "Do not warn of other filesystems that are mounted below the given directories, and left out.",
    };

    public static Option<bool> PerFile() => new("--per-file")
    {
        Description = "Where no snapshot may be taken for --point-in-time, clone without: each file is of a moment of its own.",
    };

    /// <summary>Rejects an option that requires another one.</summary>
    public static void RefuseAlone(CommandResult result, Option<bool> option, Option<bool> needed)
    {
        if (result.GetValue(option) && !result.GetValue(needed))
        {
            result.AddError($"{option.Name} is for {needed.Name}.");
        }
    }

    public Option<int> Jobs { get; } = new("--jobs", "-j")
    {
        Description = $"Threads, 1-{CloneOptions.MaxWorkers} (default: one for each processor).",
        HelpName = "N",
    };

    /// <summary>The meaning of a value of <see cref="Reflink"/>.</summary>
    public static ReflinkMode ReflinkOf(string? value) => value == "auto" ? ReflinkMode.Auto : ReflinkMode.Always;
}
