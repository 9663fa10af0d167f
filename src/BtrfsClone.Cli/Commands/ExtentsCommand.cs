using System.CommandLine;
using BtrfsClone.Extents;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone extents</c>: the extents of files.</summary>
internal static class ExtentsCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("FILE...")
        {
            Description = "The files; with --recursive also directories.",
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
        Option<bool> recursive = new("--recursive", "-r") { Description = "Show all files below directories." };
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        Command command = new("extents", "Show what files are made of.")
        {
            paths, json, offset, length, includeHole, source, recursive, oneFileSystem,
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
            return Invocation.Run(run =>
            {
                Utf8Output output = new(StandardStream.Output);
                using ExtentReader reader = new(options);
                var listing = new Listing(run, reader, ExtentLines.Create(parsed.GetValue(json), output), output)
                {
                    Recurse = parsed.GetValue(recursive),
                    OneFileSystem = parsed.GetValue(oneFileSystem),
                };
                foreach (string file in parsed.GetValue(paths)!.TakeWhile(_ => output.IsOpen))
                {
                    run.Try(() => listing.Show(FullPath.ThroughLink(file)));
                    output.Flush();
                }
            });
        });
        return command;
    }

    private static void Require(Option option, string name, long least) =>
        option.Validators.Add(result =>
        {
            // By its text: the value of an argument that is not a number cannot be read.
            if (result.Tokens is not [{ Value: var text }] || !long.TryParse(text, out long bytes) || bytes < least)
            {
                result.AddError($"{name} takes a number of bytes, at least {least}.");
            }
        });

    /// <summary>Writes the extents of files.</summary>
    private sealed class Listing(Invocation run, ExtentReader reader, ExtentLines lines, Utf8Output output)
    {
        public bool Recurse { get; init; }

        public bool OneFileSystem { get; init; }

        public void Show(string path)
        {
            try
            {
                reader.Open(path, run.Cancellation);
            }
            catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && Recurse)
            {
                ShowBelow(path);
                return;
            }

            Write();
        }

        private void ShowBelow(string path)
        {
            using ExtentWalk walk = new(path, reader, recurse: true, OneFileSystem, run.WarnOfMounts(OneFileSystem));
            while (output.IsOpen && walk.Next(run.Cancellation, out BtrfsException? failure))
            {
                if (failure is null)
                {
                    run.Try(Write);
                }
                else
                {
                    run.Fail(failure);
                }
            }
        }

        private void Write()
        {
            bool any = reader.Read(out FileExtent extent);
            lines.BeginFile(reader.Path);
            for (; any && output.IsOpen; any = reader.Read(out extent))
            {
                lines.Write(extent);
            }
        }
    }
}
