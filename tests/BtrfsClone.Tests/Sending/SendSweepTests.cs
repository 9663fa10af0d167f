using BtrfsClone.Tests.Faults.Sweep;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Sending;

/// <summary>
/// Each call that <c>send</c> makes fails once, without having been made (<c>failing-libc.c</c>). Whatever it is: what says that it
/// is whole is whole, what is received is the source's, and no half of a stream gets the name.
/// </summary>
public sealed class SendSweepTests : IDisposable
{
    /// <summary>EIO, ENOMEM, EACCES, ENOSPC.</summary>
    private static readonly int[] s_reasons = [5, 12, 13, 28];

    /// <summary>Where a filesystem does not say what it is, its files are read as those of any other.</summary>
    private static readonly string[] s_notKept = [TreeFacts.Flags, TreeFacts.Extents, TreeFacts.BeyondEnd, "blocks"];

    private readonly ScratchImage _image = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
    private readonly Receiver _receiver = new();
    private int _count;

    public void Dispose()
    {
        _receiver.Dispose();
        _image.Dispose();
    }

    [RootFact(Needs = DoctoredProgram.Tools + " setfacl setfattr chattr mkfifo cp " + TreeFacts.Tools)]
    public void One_call_fails()
    {
        string program = DoctoredProgram.Make(Path.Combine(_image.Root, "program"), "Faults/Sweep/failing-libc.c");
        string sources = Directory.CreateDirectory(Path.Combine(_image.Root, "sources")).FullName;
        const string Shared = "\ncp --reflink=always tree/data tree/dir/shared\nsync -f .";
        Shell.Check("sh", "-c", "cd \"$1\" && " + SweepScenario.Sources + Shared, "sh", sources);
        string tree = Path.Combine(sources, "tree");
        TreeFacts before = TreeFacts.Of(tree);
        (ShellResult honest, string stream, string log) = Run(program, tree, "FAIL_CALL=", "FAIL_WHEN=0", "FAIL_ERRNO=0");
        Assert.Equal(0, honest.ExitCode);
        Judge(before, honest, stream);
        (string Call, int When, int Reason)[] all =
        [
            .. from call in File.ReadLines(log).GroupBy(call => call)
               from reason in s_reasons from when in Enumerable.Range(1, call.Count()) select (call.Key, when, reason),
        ];
        new Random(TestMachine.IsThorough ? Environment.TickCount : 9).Shuffle(all);
        List<string> problems = [];
        foreach ((string call, int when, int reason) in all.OrderBy(_ => 0).Take(TestMachine.IsThorough ? 500 : 30))
        {
            (ShellResult result, stream, _) = Run(program, tree, $"FAIL_CALL={call}", $"FAIL_WHEN={when}", $"FAIL_ERRNO={reason}");
            if (Judge(before, result, stream) is { Length: > 0 } problem)
            {
                problems.Add($"{call} {when} {reason}: {problem}");
            }
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    private (ShellResult Result, string Stream, string Log) Run(string program, string tree, params string[] variables)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_image.Root, $"run{_count++}")).FullName;
        string stream = Path.Combine(folder, "stream");
        string log = folder + ".calls";
        return (
            Shell.Run("env", ["DOTNET_EnableDiagnostics=0", .. variables, $"FAIL_LOG={log}", program, "send", "--output", stream, tree]),
            stream, log);
    }

    /// <summary>What is wrong with a run, or nothing.</summary>
    private string Judge(TreeFacts before, ShellResult result, string stream)
    {
        string[] left = Directory.GetFileSystemEntries(Path.GetDirectoryName(stream)!);
        if (result.ExitCode is not (0 or 1) || left.Any(name => name != stream))
        {
            return $"exit code {result.ExitCode}, left {string.Join(' ', left)}: {result.Error}";
        }

        if (left.Length == 0)
        {
            return result.ExitCode == 1 && result.Error.Length > 0 ? "" : "nothing was sent, and nothing said";
        }

        string received = Path.Combine(_receiver.Receive(stream), "tree");
        TreeFacts after = TreeFacts.OfWritten(received);
        Receiver.Remove(received);
        if (result.ExitCode == 0)
        {
            return before.DifferencesOf(after, s_notKept);
        }

        // Directories may lack what could not be read of them; and what came first of several names may be another one now.
        string[] others = [.. after.Entries.Where(e => e.Value["type"] == "f" && !IsOfSource(before, e.Key, e.Value)).Select(e => e.Key)];
        return result.Error.Length == 0 ? "a failure that nothing was said of"
            : others.Length > 0 ? $"other than at the source: {string.Join(' ', others)}: {result.Error}"
            : "";
    }

    private static bool IsOfSource(TreeFacts before, string path, EntryFacts entry)
    {
        string[] left = [.. s_notKept, "nlink", TreeFacts.HardLinks];
        return before.Entries.TryGetValue(path, out EntryFacts? source) &&
            source.Keys.Union(entry.Keys).Except(left).All(key => source.GetValueOrDefault(key) == entry.GetValueOrDefault(key));
    }
}
