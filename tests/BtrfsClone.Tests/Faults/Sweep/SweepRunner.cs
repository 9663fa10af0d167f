using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults.Sweep;

/// <summary>Runs one scenario again and again, each time with another call that fails, and judges what is left.</summary>
internal sealed class SweepRunner
{
    private const int NoSpace = 28; // ENOSPC

    private readonly string _name;
    private readonly SweepScenario _scenario;
    private readonly string _sources;
    private readonly string _areas;
    private readonly string _program;
    private readonly SweepState _sourcesBefore;
    private readonly SweepState _before;
    private readonly SweepState _after;
    private readonly (string Call, int Uses)[] _calls;
    private int _areaCount;
    private int _count;

    /// <summary>Makes the sources, and finds out what the scenario does when nothing fails.</summary>
    public SweepRunner(string name, string root, string otherRoot)
    {
        _name = name;
        _scenario = SweepScenario.All[name];
        _sources = Directory.CreateDirectory(Path.Combine(root, "sources")).FullName;
        _areas = Directory.CreateDirectory(Path.Combine(_scenario.IsElsewhere ? otherRoot : root, "areas")).FullName;
        _program = DoctoredProgram.Make(Path.Combine(otherRoot, "program"), "Faults/Sweep/failing-libc.c");
        Shell.Check("sh", "-c", "cd \"$1\" && " + SweepScenario.Sources + "\nsync -f .", "sh", _sources);
        _sourcesBefore = Look(_sources);
        SweepState before = Look(NewArea());
        (SweepState first, _calls) = RunWithoutFailure();
        (SweepState second, _) = RunWithoutFailure();
        Assert.Equal(first.Paths, second.Paths);
        _after = first.Common(second);
        _before = before.Known(_after);
    }

    /// <summary>How many runs had a call that failed.</summary>
    public int Count => _count;

    /// <summary>Lets each call fail for each reason at a random use, and then at others, as long as there are any.</summary>
    /// <returns>What is wrong, a text for each run.</returns>
    public string[] RunAll(int[] reasons, int runs)
    {
        Random random = new(_name.Length);
        (string Call, int When, int Reason)[] all =
        [
            .. from call in _calls from reason in reasons from when in Enumerable.Range(1, call.Uses)
               where !MayBeLost(call.Call, reason)
               select (call.Call, when, reason),
        ];
        random.Shuffle(all);

        // One of each call for each reason comes before any second one.
        IEnumerable<(string Call, int When, int Reason)> chosen =
            all.GroupBy(f => (f.Call, f.Reason)).SelectMany(g => g.Select((f, i) => (f, i))).OrderBy(f => f.i).Select(f => f.f).Take(runs);
        ConcurrentBag<string> problems = [];
        Parallel.ForEach(
            chosen, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            failure =>
            {
                if (Run(failure.Call, failure.When, failure.Reason) is { } problem)
                {
                    problems.Add(problem);
                }
            });
        if (_sourcesBefore.Difference(Look(_sources)) is { } difference)
        {
            problems.Add($"{_name}: the source: {difference}");
        }

        return [.. problems.Order(StringComparer.Ordinal)];
    }

    /// <summary>Repeats one run: <c>CALL WHEN ERRNO</c>.</summary>
    public string[] RunOne(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int[] numbers = [.. words[1..].Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        return Run(words[0], numbers[0], numbers[1]) is { } problem
            ? [problem]
            : [];
    }

    /// <summary>Metadata that a copy's destination has no room for is counted, and not told by path: <c>MetadataLossTests</c>.</summary>
    private bool MayBeLost(string call, int reason) => _scenario.Copies && reason == NoSpace &&
        (call.EndsWith("setxattr", StringComparison.Ordinal) || call is "fallocate" or "ioctl.c020660b");

    // What has been copied is written out when the kernel likes.
    private SweepState Look(string folder) => SweepState.Of(folder, extents: !_scenario.Copies);

    private string NewArea()
    {
        string area = Path.Combine(_areas, $"{Interlocked.Increment(ref _areaCount)}");
        Directory.CreateDirectory(area);
        _scenario.Prepare(_sources, area);
        return area;
    }

    private (SweepState After, (string Call, int Uses)[] Calls) RunWithoutFailure()
    {
        string area = NewArea();
        string log = area + ".calls";
        ShellResult result = Run(area, $"FAIL_LOG={log}");
        Assert.True(result.ExitCode == 0, $"{_name}: {result.Error}");
        return (Look(area), [.. File.ReadLines(log).GroupBy(call => call).Select(uses => (uses.Key, uses.Count())).Order()]);
    }

    private ShellResult Run(string area, params string[] variables) => Shell.Run(
        "env", ["DOTNET_EnableDiagnostics=0", .. variables, _program, .. _scenario.Words(_sources, area)]);

    private string? Run(string call, int when, int reason)
    {
        string area = NewArea();
        string log = area + ".calls";
        string what = $"{_name}: {call} {when} {reason}";
        ShellResult result;
        try
        {
            result = Run(area, $"FAIL_LOG={log}", $"FAIL_CALL={call}", $"FAIL_WHEN={when}", $"FAIL_ERRNO={reason}");
        }
        catch (TimeoutException)
        {
            return $"{what}: hangs";
        }

        if (!File.ReadLines(log).Any(line => line[0] == '!'))
        {
            // Threads do not always make the same calls.
            return _after.Difference(Look(area)) is { } difference ? $"{_name}, nothing failed: {difference}" : null;
        }

        Interlocked.Increment(ref _count);
        string[] problems = [.. Judge(result, Marshal.GetPInvokeErrorMessage(reason), Look(area), area)];
        return problems.Length == 0
            ? null
            : $"{what}: exit code {result.ExitCode}: {string.Join("; ", problems)}\n    " +
                result.Error.TrimEnd().ReplaceLineEndings("\n    ");
    }

    private IEnumerable<string> Judge(ShellResult result, string reason, SweepState found, string area)
    {
        if (result.ExitCode == 0)
        {
            return _after.Difference(found) is { } difference ? [difference] : [];
        }

        if (result.ExitCode != 1)
        {
            return ["an exit code that is none"];
        }

        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines.Any(line => !line.StartsWith("btrfs-clone: ", StringComparison.Ordinal)))
        {
            return ["not a line for each failure"];
        }

        return
        [
            .. lines.Any(line => line.Contains(reason, StringComparison.OrdinalIgnoreCase)) ? (string[])[] : [$"no word of '{reason}'"],
            .. NeitherOldNorNew(found, result.Error, area),
            .. Missing(found, result.Error, area),
            .. Parts(found),
        ];
    }

    /// <summary>What is left of the work without a line that names it.</summary>
    private IEnumerable<string> NeitherOldNorNew(SweepState found, string error, string area)
    {
        List<string> leftovers = [];
        foreach (string path in found.Paths.Where(p => !_after.HasSame(p, found) && !_before.HasSame(p, found)))
        {
            if (_after.Has(path) || _before.Has(path))
            {
                if (!found.NamesOf(path).Any(name => IsNamed(name, error, area)))
                {
                    yield return $"{path} is neither old nor new, and not named";
                }
            }
            else if (!leftovers.Any(l => path.StartsWith(l + "/", StringComparison.Ordinal)))
            {
                leftovers.Add(path);
                if (!IsNamed(path, error, area))
                {
                    yield return $"{path} is left, and not named";
                }
            }
        }
    }

    /// <summary>What is not there without a line that names it, or something above it.</summary>
    private IEnumerable<string> Missing(SweepState found, string error, string area)
    {
        foreach (string path in _after.Paths.Where(path => !found.Has(path)))
        {
            if (_before.Has(path))
            {
                yield return $"{path} was there before, and is gone";
            }
            else if (!_scenario.IsAtomic && !IsNamedOrBelow(path, error, area))
            {
                yield return $"{path} is missing, and not named";
            }
        }
    }

    /// <summary>What an atomic command has done of its work when it did not do all of it.</summary>
    private string[] Parts(SweepState found)
    {
        string? done = _after.Paths.FirstOrDefault(path => _after.HasSame(path, found) && !_before.HasSame(path, found));
        string? undone = _after.Paths.FirstOrDefault(path => !_after.HasSame(path, found));
        return _scenario.IsAtomic && done is not null && undone is not null ? [$"{done} appears without {undone}"] : [];
    }

    private bool IsNamedOrBelow(string path, string error, string area)
    {
        for (string? at = path; at is not null; at = Path.GetDirectoryName(at))
        {
            if (IsNamed(at, error, area))
            {
                return true;
            }
        }

        // The directory that the source lies in.
        return IsIn(error, _sources);
    }

    private bool IsNamed(string path, string error, string area) =>
        IsIn(error, Path.Combine(area, path).TrimEnd('/')) ||
        (_scenario.SourceOf(path) is { } source && IsIn(error, Path.Combine(_sources, source)));

    private static bool IsIn(string error, string path) =>
        Regex.IsMatch(error, Regex.Escape(path) + "(?=[:;,'\" )]|$)", RegexOptions.Multiline);
}
