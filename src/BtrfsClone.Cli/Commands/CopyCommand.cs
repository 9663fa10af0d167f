using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using BtrfsClone.Carrying;
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
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<string?> filesFrom = new("--files-from")
        {
            Description = "Clone also what this file names, one a line; - is standard input.",
            HelpName = "FILE",
        };
        Option<bool> zeros = new("--null", "-0")
        {
            Description = "The names in --files-from end with a zero byte, as those of find -print0.",
        };
        Option<bool> json = new("--json") { Description = "Write what each SOURCE came to as JSON, one object a line." };
        Option<bool> verbose = new("--verbose", "-v") { Description = "Name each entry that is cloned; with --json, too." };
        CloningOptions shared = new();
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        PatternOptions patterns = new();
        Option<bool> noClobber = new("--no-clobber", "-n") { Description = "Leave existing files, and report them." };
        Option<bool> force = new("--force", "-f")
        {
            Description = "Replace also files without write permission, devices, FIFOs and sockets.",
        };
        Option<string?> backup = new("--backup")
        {
            Description = "Keep what is replaced as NAME~ (simple) or NAME.~N~ (numbered).",
            HelpName = "simple|numbered",
        };
        backup.AcceptOnlyFromAmong("simple", "numbered");
        Option<bool> update = new("--update", "-u")
        {
            Description = "Replace what exists only where the source was modified later.",
        };
        Option<bool> atomic = new("--atomic")
        {
            Description = "Let everything appear at the end, each name in one step, or nothing.",
        };
        Option<bool> noRecurse = new("--no-recurse") { Description = "Clone a directory itself only." };
        Option<string?> relativeBase = new("--relative-base")
        {
            Description = "Keep each SOURCE's path relative to this directory.",
            HelpName = "DIR",
        };
        Option<bool> pointInTime = new("--point-in-time")
        {
            Description = "Clone the sources as they stood at one moment, from a temporary snapshot.",
        };
        Option<bool> perFile = CloningOptions.PerFile();
        Option<bool> snapshot = new("--snapshot")
        {
            Description = "Make a snapshot of each SOURCE, which is a subvolume's root.",
        };
        Option<bool> readOnly = new("--read-only") { Description = "Make the --snapshot read-only, with those in it." };
        Option<bool> recurse = new("--recurse")
        {
            Description = "Clone what is below directories: the default, but for subvolumes nested in a --snapshot, of which " +
                "it makes snapshots in that, of all or none.",
        };
        Option<bool> follow = new("--dereference", "-L")
        {
            Description = "Clone what symbolic links lead to, in their places.",
        };
        Option<bool> followNamed = new("--dereference-command-line", "-H")
        {
            Description = "Clone what a SOURCE leads to that is a symbolic link; links below it stay links.",
        };
        StorageOptions storage = new();
        Option<bool> noTarget = new("--no-target-directory", "-T")
        {
            Description = "Take DESTINATION for the clone's name, also where it is a directory.",
        };
        Command command = new("copy", "Clone files and directory trees.")
        {
            paths, filesFrom, zeros, shared.Reflink, noClobber, force, backup, update, atomic, pointInTime, perFile, snapshot, readOnly,
            recurse, noRecurse, json, verbose,
            relativeBase, noTarget, follow, followNamed, storage.NoCow, storage.InheritProperty, storage.Compression,
            oneFileSystem, shared.Jobs,
        };
        patterns.AddTo(command);
        command.Validators.Add(result =>
        {
            bool isNamed = result.GetResult(filesFrom) is not null;
            if (!isNamed && result.GetValue(paths)?.Length < 2)
            {
                result.AddError("copy takes a SOURCE and a DESTINATION.");
            }

            if (!isNamed && result.GetValue(zeros))
            {
                result.AddError("--null says how the names in --files-from end.");
            }
        });
        command.Validators.Add(result => Refuse(result, noTarget, relativeBase, filesFrom));
        command.Validators.Add(result =>
        {
            if (result.GetValue(noTarget) && result.GetValue(paths)?.Length > 2)
            {
                result.AddError("--no-target-directory takes one SOURCE.");
            }
        });
        command.Validators.Add(result => Refuse(result, recurse, noRecurse));
        command.Validators.Add(result => Refuse(result, atomic, backup, update));
        command.Validators.Add(
            result => Refuse(
                result, snapshot,
                [
                    force, backup, update, atomic, pointInTime, relativeBase, follow, followNamed, oneFileSystem, .. storage.All,
                    .. patterns.All,
                ]));
        command.Validators.Add(result => Refuse(result, storage.NoCow, storage.InheritProperty, storage.Compression));
        command.Validators.Add(result => Refuse(result, storage.InheritProperty, storage.Compression));
        command.Validators.Add(result => Refuse(result, follow, followNamed, pointInTime));
        command.Validators.Add(result => Refuse(result, followNamed, pointInTime));
        command.Validators.Add(result =>
        {
            if (result.GetValue(snapshot) && result.GetValue(shared.Reflink) == "auto")
            {
                result.AddError("--snapshot and --reflink auto cannot be used together.");
            }
        });
        command.Validators.Add(result =>
        {
            if (result.GetValue(readOnly) && !result.GetValue(snapshot))
            {
                result.AddError("--read-only is for a --snapshot.");
            }
        });
        command.Validators.Add(result => CloningOptions.RefuseAlone(result, perFile, pointInTime));
        command.SetAction(parsed =>
        {
            string[] all = parsed.GetValue(paths)!;
            string? names = parsed.GetValue(filesFrom);
            Sources sources = new(all[..^1], names, parsed.GetValue(zeros));
            bool isSingle = names is null && all.Length == 2;
            CloneOptions options = new()
            {
                Reflink = CloningOptions.ReflinkOf(parsed.GetValue(shared.Reflink)),
                NoClobber = parsed.GetValue(noClobber),
                Force = parsed.GetValue(force),
                Backup = parsed.GetValue(backup) switch
                {
                    "simple" => BackupMode.Simple,
                    "numbered" => BackupMode.Numbered,
                    _ => BackupMode.None,
                },
                Update = parsed.GetValue(update),
                Atomic = parsed.GetValue(atomic),
                Recurse = !parsed.GetValue(noRecurse),
                PointInTime = parsed.GetValue(pointInTime),
                PerFile = parsed.GetValue(perFile),
                OneFileSystem = parsed.GetValue(oneFileSystem),
                Links = parsed.GetValue(follow) ? LinkMode.FollowAll
                    : parsed.GetValue(followNamed) ? LinkMode.FollowNamed
                    : LinkMode.Keep,
                NoCow = parsed.GetValue(storage.NoCow),
                InheritProperty = parsed.GetValue(storage.InheritProperty),
                Compression = parsed.GetValue(storage.Compression),
                SingleItem = isSingle,
                Workers = parsed.GetValue(shared.Jobs),
                Filter = patterns.Patterns.Filter,
            };
            return parsed.GetValue(snapshot)
                ? Invocation.Run(run => CopiedSubvolumes.Take(
                    run, options, new() { Recurse = parsed.GetValue(recurse), ReadOnly = parsed.GetValue(readOnly) }, sources,
                    Place(all[^1], isSingle, null, parsed.GetValue(noTarget)), parsed.GetValue(json), parsed.GetValue(verbose)))
                : Invocation.Run(patterns.Checked(run => Copy(
                    run, options.KeepingSharing(), sources,
                    Place(all[^1], isSingle, parsed.GetValue(relativeBase), parsed.GetValue(noTarget)), parsed.GetValue(json),
                    parsed.GetValue(verbose))));
        });
        return command;
    }

    /// <summary>The destination of the sources: a directory, or for a single one also a new name.</summary>
    private static CloneDestination Place(string destination, bool isSingle, string? relativeBase, bool isName)
    {
        string target = FullPath.Of(destination, BtrfsError.DestinationNotFound);
        return relativeBase is not null ? CloneDestination.Into(target, Sources.Find(relativeBase).Path)
            : !isSingle ? CloneDestination.Into(target)
            : isName ? CloneDestination.Exactly(target)
            : CloneDestination.Named(target);
    }

    private static void Copy(
        Invocation run, CloneOptions options, Sources sources, CloneDestination place, bool json, bool verbose)
    {
        Utf8Output output = new(StandardStream.Output);
        List<CloneResult> hidden = [];
        CloneSession? session = null;
        CarryProgress? carried = null;
        SessionEvents events = new()
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(options.OneFileSystem),
            OnCloned = verbose ? new EntryLines(output, json).Write : null,
            OnTick = () =>
            {
                if (verbose)
                {
                    run.Progress.Clear();
                    output.Flush();
                }

                run.Progress.Show(() => carried?.Describe() ?? Describe(session!.Counters));
            },
        };
        using (session = new CloneSession(options, events))
        {
            carried = options.Reflink == ReflinkMode.Auto ? new CarryProgress(session.Counters) : null;
            foreach (CloneSource item in sources.Read(run, session.Covers))
            {
                run.Try(() =>
                {
                    if (carried?.Add(item.Path, place.For(item), run.Cancellation) is { } shortage)
                    {
                        run.Warn(shortage);
                    }

                    CloneResult result = session.Clone(item.Path, place.For(item), run.Cancellation);
                    if (json && options.Atomic)
                    {
                        hidden.Add(result);
                    }
                    else if (json)
                    {
                        Write(result);
                    }
                });
            }

            session.Complete(cancellation: run.Cancellation);
            run.Progress.Clear();
            hidden.ForEach(Write);
            output.Flush();
            if (session.Counters.CopiedDescription is { } copied)
            {
                run.Warn(copied);
            }

            run.WarnOfMoments(session.WithoutMoment);
            run.WarnOf(session.Losses);
        }

        void Write(CloneResult result)
        {
            output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.CloneResult));
            output.EndLine();
        }
    }

    private static void Refuse(CommandResult result, Option<bool> option, params Option[] others)
    {
        if (result.GetValue(option) && others.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } other)
        {
            result.AddError($"{option.Name} and {other.Name} cannot be used together.");
        }
    }

    private static string Describe(CloneCounters counters) =>
        $"{counters.Files:N0} files, {counters.Directories:N0} directories, {counters.Length / 1e6:N1} MB";
}
