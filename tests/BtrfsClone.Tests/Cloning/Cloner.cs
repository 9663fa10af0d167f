using BtrfsClone.Cloning;

namespace BtrfsClone.Tests.Cloning;

/// <summary>A session that keeps the failures it is told of.</summary>
internal sealed class Cloner : IDisposable
{
    private readonly List<BtrfsException> _failures = [];
    private readonly CloneSession _session;

    public Cloner(CloneOptions? options = null, Action? onTick = null)
    {
        _session = new CloneSession(
            options ?? new CloneOptions(), new SessionEvents { OnFailure = _failures.Add, OnTick = onTick });
    }

    public IReadOnlyList<BtrfsException> Failures => _failures;

    public CloneSession Session => _session;

    /// <summary>Clones one item in a session of its own, in which nothing may fail.</summary>
    public static CloneResult Clone(string source, CloneDestination destination, CloneOptions? options = null)
    {
        using Cloner cloner = new(options);
        CloneResult result = cloner.Clone(source, destination);
        if (cloner.Failures.Count > 0)
        {
            Assert.Fail(string.Join("\n", cloner.Failures.Select(f => f.Message)));
        }

        return result;
    }

    /// <summary>Clones one item to a new name, in a session of its own, in which nothing may fail.</summary>
    public static CloneResult Clone(string source, string destination, CloneOptions? options = null) =>
        Clone(source, CloneDestination.Named(destination), options);

    public CloneResult Clone(string source, CloneDestination destination, CancellationToken cancellation = default) =>
        _session.Clone(source, destination, cancellation);

    public void Dispose() => _session.Dispose();
}
