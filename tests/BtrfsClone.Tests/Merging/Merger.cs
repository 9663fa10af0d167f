using BtrfsClone.Merging;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Merging;

/// <summary>A session that keeps what it is told.</summary>
internal sealed class Merger : IDisposable
{
    private readonly MergeSession _session;

    public Merger(bool preview = false)
    {
        _session = new MergeSession(new MergeOptions { Preview = preview }, new MergeEvents
        {
            OnResult = Results.Add,
            OnFailure = Failures.Add,
            OnGap = (path, reason) => Skipped.Add((path, reason)),
        });
    }

    public List<MergeResult> Results { get; } = [];

    public List<BtrfsException> Failures { get; } = [];

    public List<(string Path, PairGap Reason)> Skipped { get; } = [];

    public MergeCounters Counters => _session.Counters;

    /// <summary>Merges two files in a session of their own: deduped, same and different bytes.</summary>
    public static (long Deduped, long Same, long Different) Merge(string reference, string path, bool preview = false)
    {
        using Merger merger = new(preview);
        merger.Merge(reference, path, CancellationToken.None);
        Assert.Empty(merger.Failures);
        MergeResult result = Assert.Single(merger.Results);
        Assert.Equal((reference, path), (result.ReferencePath, result.Path));
        return (result.DedupedLength, result.SameLength, result.DifferentLength);
    }

    public void Merge(string reference, string path, CancellationToken cancellation) =>
        _session.Merge(reference, path, cancellation);

    public void Dispose() => _session.Dispose();
}
