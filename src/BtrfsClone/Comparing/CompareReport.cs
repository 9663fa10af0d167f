using BtrfsClone.Walking;

namespace BtrfsClone.Comparing;

/// <summary>The results for two items, from any number of workers, and how they are reported.</summary>
internal sealed class CompareReport(string reference, string path, CompareEvents events, EventPump pump)
{
    private readonly Dictionary<PairGap, List<string>> _gaps = [];
    private readonly CompareTotals _totals = new();
    private long _files;
    private long _failed;

    /// <summary>The number of files compared so far.</summary>
    public long Files => Interlocked.Read(ref _files);

    public void CountFile() => Interlocked.Increment(ref _files);

    public void AddFailure(BtrfsException failure)
    {
        Interlocked.Increment(ref _failed);
        pump.Report(failure);
    }

    /// <inheritdoc cref="EventPump.TellPassedOver"/>
    public void TellPassedOver(string path, OtherFileSystem mounted) => pump.TellPassedOver(path, mounted);

    /// <summary>Adds the results of a worker.</summary>
    public void Add(CompareTotals found)
    {
        lock (_gaps)
        {
            _totals.Add(found);
        }
    }

    /// <summary>Adds a regular file of the second tree.</summary>
    /// <param name="worker">The worker that has compared it.</param>
    /// <param name="node">The directory that contains it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="finding">The result for it.</param>
    /// <param name="gap">Why it has no counterpart, or null.</param>
    public void AddFile(
        CompareWorker worker, PairNode node, ReadOnlySpan<byte> name, in FileFinding finding, PairGap? gap = null)
    {
        CountFile();
        worker.Totals.Add(finding);
        events.OnEntry?.Invoke(Entry(node.PathOf(false, name), gap, finding));
    }

    /// <summary>Adds an entry without counterpart.</summary>
    /// <param name="entry">Its path, below the reference if it only exists there.</param>
    /// <param name="gap">Why it has none.</param>
    /// <param name="isFile">It is a file, and is reported with its length.</param>
    public void AddGap(string entry, PairGap gap, bool isFile)
    {
        KeepGap(entry, gap);
        if (!isFile)
        {
            events.OnEntry?.Invoke(Entry(entry, gap));
        }
    }

    /// <summary>The result for everything together.</summary>
    public CompareResult Sum() => new()
    {
        ReferencePath = reference,
        Path = path,
        Files = _totals.Files,
        Length = _totals.Length,
        SharedLength = _totals.SharedLength,
        InlineLength = _totals.InlineLength,
        SharedRatio = Ratio(_totals.SharedLength, _totals.Length - _totals.InlineLength),
        ComparedLength = _totals.ComparedLength,
        IsClone = _totals.AreClones && _gaps.Count == 0 && _failed == 0,
        OnlyInReference = Sorted(PairGap.OnlyInReference),
        OnlyInPath = Sorted(PairGap.OnlyInPath),
        Different = Sorted(PairGap.OtherKind),
        Failed = _failed,
    };

    /// <summary>The result for one entry.</summary>
    /// <param name="entry">Its path, below the reference if it only exists there.</param>
    /// <param name="gap">Why it has no counterpart, or null.</param>
    /// <param name="finding">The result for it, if it is a file.</param>
    private CompareResult Entry(string entry, PairGap? gap, in FileFinding finding = default)
    {
        string relative = Relative(entry, gap);
        IReadOnlyList<string> self = [relative];
        return new CompareResult
        {
            ReferencePath = Join(reference, relative),
            Path = Join(path, relative),
            Files = finding.IsFile ? 1 : 0,
            Length = finding.Length,
            SharedLength = finding.Same.Shared,
            InlineLength = finding.Same.Inline,
            SharedRatio = finding.IsFile ? Ratio(finding.Same.Shared, finding.Length - finding.Same.Inline) : null,
            ComparedLength = finding.Same.Compared,
            IsClone = finding.IsClone,
            OnlyInReference = gap == PairGap.OnlyInReference ? self : [],
            OnlyInPath = gap == PairGap.OnlyInPath ? self : [],
            Different = gap == PairGap.OtherKind ? self : [],
            Failed = 0,
        };
    }

    private void KeepGap(string entry, PairGap gap)
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

    private static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : $"{directory}/{name}";

    private static double? Ratio(long shared, long length) => length == 0 ? 1 : (double)shared / length;

    private string Relative(string entry, PairGap? gap) =>
        entry[(gap == PairGap.OnlyInReference ? reference : path).Length..].TrimStart('/');

    private IReadOnlyList<string> Sorted(PairGap gap) =>
        _gaps.TryGetValue(gap, out List<string>? gaps) ? [.. gaps.Order(StringComparer.Ordinal)] : [];
}
