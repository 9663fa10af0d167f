using System.CommandLine;
using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone merge</c>: files and trees that hold the same bytes share them again.</summary>
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
        Command command = new("merge", "Make files that hold the same bytes share them.")
        {
            reference, path, dryRun, verbose,
        };
        command.SetAction(parsed => Invocation.Run(run => Merge(
            run, FullPath.Of(parsed.GetValue(reference)!), FullPath.Of(parsed.GetValue(path)!),
            parsed.GetValue(dryRun), parsed.GetValue(verbose))));
        return command;
    }

    private static void Merge(Invocation run, string reference, string path, bool dryRun, bool verbose)
    {
        MergeSession? session = null;
        using (session = new MergeSession(
            result => Write(run, verbose, result.Path, Describe(
                result.DedupedLength, result.SameLength, result.DifferentLength, dryRun)),
            run.Fail,
            (skipped, reason) => Write(run, verbose, skipped, Describe(reason)),
            () => run.Progress.Show(() =>
                $"{session!.Counters.Files:N0} files, {session.Counters.Length / 1e6:N1} MB"),
            dryRun))
        {
            session.Merge(reference, path, run.Cancellation);
            run.Progress.Clear();
            MergeCounters counters = session.Counters;
            string sum = Describe(counters.DedupedLength, counters.SameLength, counters.DifferentLength, dryRun);
            string freed = dryRun ? $"; it would free up to {counters.UnsharedLength} bytes" : "";
            Console.WriteLine($"{counters.Files} {(counters.Files == 1 ? "file" : "files")}: {sum}{freed}");
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

    private static string Describe(long deduped, long same, long different, bool dryRun) =>
        $"{deduped} bytes {(dryRun ? "would be merged" : "merged")}, {same} shared already, {different} different";

    private static string Describe(PairGap reason) => reason switch
    {
        PairGap.OnlyInPath => "only in PATH",
        PairGap.OnlyInReference => "only in REFERENCE",
        _ => "not of the same kind in REFERENCE",
    };
}
