using BtrfsClone.Delalloc;

namespace BtrfsClone.Tests.Delalloc;

/// <summary>Waits for items in a session of its own.</summary>
/// <param name="Quiet">The items of which nothing failed, in the order in which they were told.</param>
/// <param name="Failures">The failures.</param>
internal sealed record Waiter(List<string> Quiet, List<BtrfsException> Failures)
{
    public static Waiter Wait(DelallocOptions options, CancellationToken cancellation, params string[] items)
    {
        Waiter waiter = new([], []);
        using DelallocSession session = new(options, new DelallocEvents
        {
            OnFailure = waiter.Failures.Add,
            OnQuiet = item => waiter.Quiet.Add(item.Path),
        });
        foreach (string item in items)
        {
            session.Add(item, cancellation);
        }

        session.Complete(cancellation);
        return waiter;
    }

    /// <summary>As long as it takes, and nothing may fail.</summary>
    public static void Wait(params string[] items)
    {
        Waiter waiter = Wait(new DelallocOptions(), CancellationToken.None, items);
        Assert.Empty(waiter.Failures.Select(failure => failure.Message));
        Assert.Equal(items, waiter.Quiet);
    }
}
