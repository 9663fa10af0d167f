using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>What has been found of two items, by any number of workers, and how it is told.</summary>
internal sealed class CompareReport(string reference, string path)
{
    private readonly Dictionary<PairGap, List<string>> _gaps = [];
    private readonly CompareTotals _totals = new();
    private long _files;
    private long _failed;

    /// <summary>How many files have been compared so far.</summary>
    public long Files => Interlocked.Read(ref _files);

    public void CountFile() => Interlocked.Increment(ref _files);

    public void CountFailure() => Interlocked.Increment(ref _failed);

    /// <summary>Takes what a worker has found.</summary>
    public void Add(CompareTotals found)
    {
        lock (_gaps)
        {
            _totals.Add(found);
        }
    }

    /// <summary>Takes the path of an entry without counterpart.</summary>
    public void AddGap(string entry, PairGap gap)
    {
        lock (_gaps)
        {
            if (!_gaps.TryGetValue(gap, out List<string>? gaps))
            {
                _gaps[gap] = gaps = [];
            }

            gaps.Add(Relative(entry, gap));
        }
    }

    /// <summary>What is told of one entry.</summary>
    /// <param name="entry">Its path, below the reference if it is only there.</param>
    /// <param name="gap">Why it has no counterpart, or null.</param>
    /// <param name="finding">What was found of it, if it is a file.</param>
    public CompareResult Entry(string entry, PairGap? gap, in FileFinding finding = default)
    {
        string relative = Relative(entry, gap);
        IReadOnlyList<string> self = [relative];
        return new CompareResult
        {
            ReferencePath = Join(reference, relative),
            Path = Join(path, relative),
            Files = finding.IsFile ? 1 : 0,
            Length = finding.Length,
            SharedLength = finding.Shared,
            SharedRatio = finding.IsFile ? Ratio(finding.Shared, finding.Length) : null,
            ComparedLength = finding.Compared,
            IsClone = finding.IsClone,
            OnlyInReference = gap == PairGap.OnlyInReference ? self : [],
            OnlyInPath = gap == PairGap.OnlyInPath ? self : [],
            Different = gap == PairGap.OtherKind ? self : [],
            Failed = 0,
        };
    }

    /// <summary>What is told of everything together.</summary>
    public CompareResult Sum() => new()
    {
        ReferencePath = reference,
        Path = path,
        Files = _totals.Files,
        Length = _totals.Length,
        SharedLength = _totals.SharedLength,
        SharedRatio = Ratio(_totals.SharedLength, _totals.Length),
        ComparedLength = _totals.ComparedLength,
        IsClone = _totals.AreClones && _gaps.Count == 0 && _failed == 0,
        OnlyInReference = Sorted(PairGap.OnlyInReference),
        OnlyInPath = Sorted(PairGap.OnlyInPath),
        Different = Sorted(PairGap.OtherKind),
        Failed = _failed,
    };

    private static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : $"{directory}/{name}";

    private static double? Ratio(long shared, long length) => length == 0 ? 1 : (double)shared / length;

    private string Relative(string entry, PairGap? gap) =>
        entry[(gap == PairGap.OnlyInReference ? reference : path).Length..].TrimStart('/');

    private IReadOnlyList<string> Sorted(PairGap gap) =>
        _gaps.TryGetValue(gap, out List<string>? gaps) ? [.. gaps.Order(StringComparer.Ordinal)] : [];
}
