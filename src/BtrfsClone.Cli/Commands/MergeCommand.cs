using System.CommandLine;
using System.Text.Json;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone merge</c>: makes files and trees with equal data share it again.</summary>
internal static class MergeCommand
{
    public static Command Create()
    {
        Argument<string> reference = new("REFERENCE") { Description = "The file or directory whose extents are shared." };
        Argument<string> path = new("PATH")
        {
            Description = "The file, or the directory with all below it by the same relative paths, that shares them.",
        };
        Option<bool> dryRun = new("--dry-run", "-n")
        {
            Description = "Compare by reading, share nothing, and say how many bytes it would free.",
        };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Write a line for each file." };
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        Option<bool> json = new("--json") { Description = "Write what came of each file as JSON, one object a line." };
        Command command = new("merge", "Make files that hold the same bytes share them.")
        {
            reference, path, dryRun, oneFileSystem, verbose, json,
        };
        command.SetAction(parsed => Invocation.Run(run => Merge(
            run, FullPath.Of(parsed.GetValue(reference)!), FullPath.Of(parsed.GetValue(path)!),
            new MergeOptions { Preview = parsed.GetValue(dryRun), OneFileSystem = parsed.GetValue(oneFileSystem) },
            parsed.GetValue(verbose), parsed.GetValue(json))));
        return command;
    }

    private static void Merge(Invocation run, string reference, string path, MergeOptions options, bool verbose, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        bool dryRun = options.Preview;
        MergeSession? session = null;
        var events = new MergeEvents
        {
            OnResult = json ? WriteJson : result => Write(run, verbose, result.Path, Describe(
                result.DedupedLength, result.SameLength, result.InlineLength, result.DifferentLength, dryRun)),
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(options.OneFileSystem),
            OnGap = (skipped, reason) => Write(run, verbose && !json, skipped, Describe(reason)),
            OnTick = () => run.Progress.Show(() =>
                $"{session!.Counters.Files:N0} files, {session.Counters.Length / 1e6:N1} MB"),
        };
        using (session = new MergeSession(options, events))
        {
            session.Merge(reference, path, run.Cancellation);
            run.Progress.Clear();
            output.Flush();
            if (json)
            {
                return;
            }

            MergeCounters counters = session.Counters;
            string sum = Describe(
                counters.DedupedLength, counters.SameLength, counters.InlineLength, counters.DifferentLength, dryRun);
            string freed = dryRun ? $"; it would free up to {counters.UnsharedLength} bytes" : "";
            Console.WriteLine($"{counters.Files} {(counters.Files == 1 ? "file" : "files")}: {sum}{freed}");
        }

        void WriteJson(MergeResult result)
        {
            output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.MergeResult));
            output.EndLine();
        }
    }

    private static void Write(Invocation run, bool verbose, string path, string what)
    {
        if (verbose)
        {
            run.Progress.Clear();
            Console.WriteLine($"{PathText.Printable(path)}: {what}");
        }
    }

    private static string Describe(long deduped, long same, long inline, long different, bool dryRun) =>
        $"{deduped} bytes {(dryRun ? "would be merged" : "merged")}, {same} shared already, {inline} inline, {different} different";

    private static string Describe(PairGap reason) => reason switch
    {
        PairGap.OnlyInPath => "only in PATH",
        PairGap.OnlyInReference => "only in REFERENCE",
        _ => "not of the same kind in REFERENCE",
    };
}
