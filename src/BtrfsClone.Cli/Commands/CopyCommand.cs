using System.CommandLine;
using System.CommandLine.Parsing;
using System.IO.Enumeration;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone copy</c>: files and whole trees.</summary>
internal static class CopyCommand
{
    public static Command Create()
    {
        Argument<string[]> paths = new("SOURCE... DESTINATION")
        {
            Description = "What to clone, and the directory it goes into; for a single SOURCE also its new name.",
            Arity = new ArgumentArity(2, 100_000),
        };
        Option<string?> reflink = new("--reflink")
        {
            Description = "What cannot be cloned is an error (always, the default) or is copied (auto).",
            HelpName = "always|auto",
        };
        reflink.AcceptOnlyFromAmong("always", "auto");
        Option<bool> noClobber = new("--no-clobber", "-n") { Description = "Leave existing files, and report them." };
        Option<bool> force = new("--force", "-f") { Description = "Replace also files without write permission." };
        Option<bool> atomic = new("--atomic")
        {
            Description = "Let everything appear at the end, each name in one step, or nothing.",
        };
        Option<bool> noRecurse = new("--no-recurse") { Description = "Clone a directory itself only." };
        Option<string[]> include = new("--include")
        {
            Description = "Clone only files with such names below the given ones (* and ?; repeatable).",
            HelpName = "GLOB",
        };
        Option<string[]> exclude = new("--exclude")
        {
            Description = "Leave such names out, directories with all below them (* and ?; repeatable).",
            HelpName = "GLOB",
        };
        Option<string?> relativeBase = new("--relative-base")
        {
            Description = "Keep each SOURCE's path relative to this directory.",
            HelpName = "DIR",
        };
        Option<bool> pointInTime = new("--point-in-time")
        {
            Description = "Clone the sources as they stood at one moment, from a temporary snapshot.",
        };
        Option<bool> snapshot = new("--snapshot")
        {
            Description = "Make a writable snapshot of each SOURCE, which is a subvolume's root.",
        };
        Option<bool> recurse = new("--recurse")
        {
            Description = "Clone what is below directories: the default, but for subvolumes nested in a --snapshot.",
        };
        Option<int> jobs = new("--jobs", "-j")
        {
            Description = "Threads, 1-64 (default: one for each processor).",
            HelpName = "N",
        };
        jobs.Validators.Add(result =>
        {
            // By its text: the value of what is no number cannot be asked for.
            if (result.Tokens is not [{ Value: var text }] || !int.TryParse(text, out int count) || count is < 1 or > 64)
            {
                result.AddError("--jobs takes a number from 1 to 64.");
            }
        });
        Command command = new("copy", "Clone files and directory trees.")
        {
            paths, reflink, noClobber, force, atomic, pointInTime, snapshot, recurse, noRecurse, include, exclude,
            relativeBase, jobs,
        };
        command.Validators.Add(result => Refuse(result, recurse, noRecurse));
        command.Validators.Add(result => Refuse(result, snapshot, force, atomic, pointInTime, include, exclude, relativeBase));
        command.Validators.Add(result =>
        {
            if (result.GetValue(snapshot) && result.GetValue(reflink) == "auto")
            {
                result.AddError("--snapshot and --reflink auto cannot be used together.");
            }
        });
        command.SetAction(parsed =>
        {
            string[] all = parsed.GetValue(paths)!;
            CloneOptions options = new()
            {
                Reflink = parsed.GetValue(reflink) == "auto" ? ReflinkMode.Auto : ReflinkMode.Always,
                NoClobber = parsed.GetValue(noClobber),
                Force = parsed.GetValue(force),
                Atomic = parsed.GetValue(atomic),
                Recurse = !parsed.GetValue(noRecurse),
                PointInTime = parsed.GetValue(pointInTime),
                SingleItem = all.Length == 2,
                Workers = parsed.GetValue(jobs),
                Filter = FilterOf(parsed.GetValue(include) ?? [], parsed.GetValue(exclude) ?? []),
            };
            return parsed.GetValue(snapshot)
                ? Invocation.Run(run => TakeSnapshots(run, options, parsed.GetValue(recurse), all[..^1], all[^1]))
                : Invocation.Run(run => Copy(run, options, all[..^1], all[^1], parsed.GetValue(relativeBase)));
        });
        return command;
    }

    private static void Copy(
        Invocation run, CloneOptions options, string[] sources, string destination, string? relativeBase)
    {
        string target = FullPath.Of(destination, BtrfsError.DestinationNotFound);
        CloneDestination place = sources.Length > 1 || relativeBase is not null
            ? CloneDestination.Into(target, relativeBase is null ? null : SourcePath(relativeBase))
            : CloneDestination.Named(target);
        CloneSession? session = null;
        using (session = new CloneSession(options, run.Fail, () => run.Progress.Show(() => Describe(session!.Counters))))
        {
            foreach (string source in sources)
            {
                try
                {
                    session.Clone(SourcePath(source), place, run.Cancellation);
                }
                catch (BtrfsException failure)
                {
                    run.Fail(failure);
                }
            }

            session.Complete();
            run.Progress.Clear();
            if (session.Counters.CopiedLength > 0)
            {
                Console.Error.WriteLine(
                    $"btrfs-clone: {session.Counters.CopiedLength} bytes could not be shared and were copied.");
            }
        }
    }

    private static void Refuse(CommandResult result, Option<bool> option, params Option[] others)
    {
        if (result.GetValue(option) && others.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } other)
        {
            result.AddError($"{option.Name} and {other.Name} cannot be used together.");
        }
    }

    private static void TakeSnapshots(
        Invocation run, CloneOptions options, bool recurse, string[] sources, string destination)
    {
        string target = FullPath.Of(destination, BtrfsError.DestinationNotFound);
        CloneDestination place = sources.Length > 1 ? CloneDestination.Into(target) : CloneDestination.Named(target);
        using CloneSession session = new(options, run.Fail);
        using SnapshotClone snapshots = new(session, recurse, nested => run.Warn(
            $"{PathText.Printable(nested)}: nested subvolume: the snapshot leaves it empty; --recurse clones it."));
        foreach (string source in sources)
        {
            try
            {
                snapshots.Clone(SourcePath(source), place, run.Cancellation);
            }
            catch (BtrfsException failure)
            {
                run.Fail(failure);
            }
        }
    }

    /// <summary>
    /// An absolute path whose last part names the item itself: <c>.</c>, <c>..</c> and a trailing slash stand for the
    /// directory that they lead to.
    /// </summary>
    private static string SourcePath(string source)
    {
        string full = FullPath.Of(source);
        string trimmed = Path.TrimEndingDirectorySeparator(full);
        bool isLink = (source.EndsWith('/') || Path.GetFileName(source) is "." or "..") &&
            new FileInfo(trimmed).LinkTarget is not null;
        return isLink ? new DirectoryInfo(trimmed).ResolveLinkTarget(returnFinalTarget: true)!.FullName : trimmed;
    }

    private static EntryFilter? FilterOf(string[] include, string[] exclude)
    {
        if (include.Length == 0 && exclude.Length == 0)
        {
            return null;
        }

        return (name, kind) =>
            !exclude.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)) &&
            (kind == EntryKind.Directory || include.Length == 0 ||
                include.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)));
    }

    private static string Describe(CloneCounters counters) =>
        $"{counters.Files:N0} files, {counters.Directories:N0} directories, {counters.Length / 1e6:N1} MB";
}
