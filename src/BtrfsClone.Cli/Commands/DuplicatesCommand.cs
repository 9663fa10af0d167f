using System.CommandLine;
using System.Text;
using System.Text.Json;
using BtrfsClone.Finding;
using BtrfsClone.Merging;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone duplicates</c>: data that is stored more than once.</summary>
internal static class DuplicatesCommand
{
    private const int Wide = 15;

    public static Command Create()
    {
        Argument<string[]> paths = new("PATH...")
        {
            Description = "Files, and directories with all below them.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<long?> minimumLength = new("--minimum-length")
        {
            Description = "Look for data of at least so many bytes (default: a block).",
            HelpName = "BYTES",
        };
        Option<bool> fileOnly = new("--file-only") { Description = "Compare whole files only." };
        Option<string?> source = new("--source")
        {
            Description =
                "What says that data is the same: btrfs's checksums (needs root), the content, or checksums where they may be read (auto).",
            HelpName = "auto|checksum|content",
        };
        source.AcceptOnlyFromAmong("auto", "checksum", "content");
        minimumLength.Validators.Add(result =>
        {
            // By its text: the value of an argument that is not a number cannot be read.
            if (result.Tokens is not [{ Value: var text }] || !long.TryParse(text, out long bytes) || bytes < 1)
            {
                result.AddError("--minimum-length takes a number of bytes, at least 1.");
            }
        });
        Option<bool> merge = new("--merge")
        {
            Description = "Make the places of each group share the extents of its first one; the kernel compares every byte.",
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line." };
        Option<bool> oneFileSystem = CloningOptions.LeaveOutQuietly();
        Command command = new("duplicates", "Find data that is stored more than once.")
        {
            paths, minimumLength, fileOnly, source, oneFileSystem, merge, json,
        };
        PatternOptions patterns = new();
        patterns.AddTo(command);
        command.SetAction(parsed =>
        {
            FindOptions options = new()
            {
                MinimumLength = parsed.GetValue(minimumLength) ?? 1,
                FileOnly = parsed.GetValue(fileOnly),
                Filter = patterns.Patterns.Filter,
                Source = parsed.GetValue(source) switch
                {
                    "checksum" => DuplicateSource.Checksum,
                    "content" => DuplicateSource.Content,
                    _ => DuplicateSource.Auto,
                },
            };
            return Invocation.Run(patterns.Checked(
                run => Find(
                    run, options, parsed.GetValue(paths)!, parsed.GetValue(oneFileSystem), parsed.GetValue(merge), parsed.GetValue(json))));
        });
        return command;
    }

    private static void Find(Invocation run, FindOptions options, string[] paths, bool oneFileSystem, bool merge, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        FindSession session = null!;
        using ParallelDuplicateMerger? merger = merge
            ? new ParallelDuplicateMerger(new SessionEvents { OnFailure = run.Fail }, run.Cancellation)
            : null;
        session = new FindSession(options, new SessionEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(oneFileSystem),
            OnTick = () => run.Progress.Show(() => Describe(session.Progress, merger?.Counters)),
        });
        List<string> full = [];
        foreach (string path in paths)
        {
            try
            {
                full.Add(FullPath.ThroughLink(path));
            }
            catch (BtrfsException failure)
            {
                run.Fail(failure);
            }
        }

        bool isFirst = true;
        foreach (BtrfsDuplicate group in session.Find(full, run.Cancellation).TakeWhile(_ => output.IsOpen))
        {
            run.Progress.Clear();
            if (json)
            {
                output.Write(JsonSerializer.SerializeToUtf8Bytes(group, JsonLines.Readable.BtrfsDuplicate));
                output.EndLine();
            }
            else
            {
                Write(output, group, isFirst);
            }

            isFirst = false;
            merger?.Add(group);
        }

        merger?.Complete();
        run.Progress.Clear();
        if (merger is not null && !json)
        {
            MergeCounters sum = merger.Counters;
            output.Write(Encoding.UTF8.GetBytes($"{sum.DedupedLength} bytes merged, {sum.DifferentLength} bytes different."));
            output.EndLine();
        }

        output.Flush();
        if (session.Progress.Stale > 0)
        {
            run.Warn($"{session.Progress.Stale} groups were left out: their files have changed meanwhile.");
        }
    }

    private static void Write(Utf8Output output, BtrfsDuplicate group, bool isFirst)
    {
        if (isFirst)
        {
            output.WriteRight("RECLAIMABLE"u8, Wide);
            output.WriteRight("LENGTH"u8, Wide);
            output.WriteRight("COUNT"u8, 7);
            output.WriteLeft("KIND"u8, 5);
            output.WriteRight("OFFSET"u8, Wide);
            output.Write("PATH"u8);
            output.EndLine();
        }

        bool isHead = true;
        foreach (DuplicatePlace place in group.Places)
        {
            if (isHead)
            {
                output.WriteRight(group.ReclaimableLength, Wide);
                output.WriteRight(group.Length, Wide);
                output.WriteRight(group.Count, 7);
                output.WriteLeft(group.Kind == nameof(DuplicateKind.File) ? "File"u8 : "Range"u8, 5);
            }
            else
            {
                output.WriteRight(""u8, Wide + Wide + 7 + 5 + 3);
            }

            isHead = false;
            output.WriteRight(place.Offset, Wide);
            output.Write(Encoding.UTF8.GetBytes(PathText.Printable(place.Path)));
            output.EndLine();
        }
    }

    private static string Describe(FindProgress progress, MergeCounters? merged)
    {
        string left = progress.TimeLeft is TimeSpan time ? $", {time:h\\:mm\\:ss} left" : "";
        string done = progress.Fraction is double fraction
            ? $", {fraction * 100:N0}% {(progress.Phase == FindPhase.Comparing ? "compared" : "written")}{left}"
            : "";
        string sum = merged is { DedupedLength: > 0 } ? $", {merged.DedupedLength / 1e6:N1} MB merged" : "";
        return $"{progress.Files:N0} files{done}{sum}";
    }
}
