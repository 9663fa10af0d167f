using System.CommandLine;
using BtrfsClone.Extents;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone extents</c>: what files are made of.</summary>
internal static class ExtentsCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("FILE...")
        {
            Description = "The files.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line." };
        Option<long> offset = new("--offset")
        {
            Description = "Begin at this byte of each file (default: 0).",
            HelpName = "BYTES",
        };
        Option<long?> length = new("--length")
        {
            Description = "Look at so many bytes only (default: all).",
            HelpName = "BYTES",
        };
        Require(offset, "--offset", 0);
        Require(length, "--length", 1);
        Option<bool> includeHole = new("--include-hole") { Description = "Write holes too." };
        Option<string?> source = new("--source")
        {
            Description =
                "Where to read from: btrfs's trees (needs root), FIEMAP, or the trees where they may be read (auto).",
            HelpName = "auto|fiemap|tree",
        };
        source.AcceptOnlyFromAmong("auto", "fiemap", "tree");
        Command command = new("extents", "Show what files are made of.")
        {
            paths, json, offset, length, includeHole, source,
        };
        command.SetAction(parsed =>
        {
            ExtentReaderOptions options = new()
            {
                Offset = parsed.GetValue(offset),
                Length = parsed.GetValue(length),
                IncludeHole = parsed.GetValue(includeHole),
                Source = parsed.GetValue(source) switch
                {
                    "fiemap" => ExtentSource.Fiemap,
                    "tree" => ExtentSource.Tree,
                    _ => ExtentSource.Auto,
                },
            };
            return Invocation.Run(run => Show(run, options, parsed.GetValue(paths)!, parsed.GetValue(json)));
        });
        return command;
    }

    private static void Require(Option option, string name, long least) =>
        option.Validators.Add(result =>
        {
            // By its text: the value of what is no number cannot be asked for.
            if (result.Tokens is not [{ Value: var text }] || !long.TryParse(text, out long bytes) || bytes < least)
            {
                result.AddError($"{name} takes a number of bytes, at least {least}.");
            }
        });

    private static void Show(Invocation run, ExtentReaderOptions options, string[] files, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        using ExtentReader reader = new(options);
        ExtentLines lines = ExtentLines.Create(json, output);
        foreach (string file in files.TakeWhile(_ => output.IsOpen))
        {
            Show(run, reader, lines, output, file);
            output.Flush();
        }
    }

    private static void Show(Invocation run, ExtentReader reader, ExtentLines lines, Utf8Output output, string file)
    {
        try
        {
            string path = FullPath.ThroughLink(file);
            reader.Open(path, run.Cancellation);
            bool any = reader.Read(out FileExtent extent);
            lines.BeginFile(path);
            for (; any && output.IsOpen; any = reader.Read(out extent))
            {
                lines.Write(extent);
            }
        }
        catch (BtrfsException failure)
        {
            run.Fail(failure);
        }
    }
}
