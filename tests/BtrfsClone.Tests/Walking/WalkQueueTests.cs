using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>
/// The queue of a walk under random schedules, without threads and without a filesystem: simulated workers take their
/// steps in a random order, and things fail, throw, move away and stop at random. A model of the tree, with accounts of
/// its own, says what may happen at each moment and what has to have happened at the end.
/// </summary>
public sealed class WalkQueueTests
{
    [Fact]
    public void A_tree_is_walked_whole_under_any_schedule() => RunAll(2000, seed => new WalkModel(seed));

    [Fact]
    public void Few_open_nodes_are_enough() => RunAll(2000, seed => new WalkModel(seed) { MaxOpen = 1 + (seed % 4) });

    [Fact]
    public void What_cannot_be_opened_or_listed_ends_nothing_else() =>
        RunAll(2000, seed => new WalkModel(seed) { MaxOpen = 1 + (seed % 4), FailureRate = 0.1 });

    [Fact]
    public void What_is_moved_away_is_lost_with_what_is_above_it_and_was_closed() =>
        RunAll(2000, seed => new WalkModel(seed) { MaxOpen = 1 + (seed % 3), LossRate = 0.2 });

    [Fact]
    public void A_stop_at_any_moment_leaves_nothing_open() =>
        RunAll(3000, seed => new WalkModel(seed) { MaxOpen = 1 + (seed % 4), StopRate = 0.02 });

    [Fact]
    public void Whatever_throws_every_node_is_finished_and_closed_once() =>
        RunAll(
            5000,
            seed => new WalkModel(seed)
            {
                MaxOpen = 1 + (seed % 4),
                FailureRate = 0.05,
                LossRate = 0.05,
                ThrowRate = 0.02,
            });

    [Fact]
    public void A_root_that_is_not_to_be_listed_is_finished() =>
        RunAll(10, seed => new WalkModel(seed) { PassesOverRoot = true });

    private static void RunAll(int count, Func<int, WalkModel> make)
    {
        for (int seed = 0; seed < count; seed++)
        {
            using WalkModel model = make(seed);
            try
            {
                model.Run();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }
}
