using BtrfsClone.Carrying;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Measuring;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Carrying;

/// <summary>What is known of shared extents takes no memory, however many there are.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SharedPoolTests(ScratchBtrfs btrfs)
{
    private const long Apart = 64 << 10;

    [BtrfsFact]
    public void Millions_of_extents_take_no_memory()
    {
        int count = TestMachine.IsThorough ? 10_000_000 : 100_000;
        using OwnedDescriptor folder = Open(btrfs.NewFolder());
        using SharedPool pool = SharedPool.TryMake(folder.Descriptor, noCow: false, 4096, ulong.MaxValue)!;
        long before = Environment.WorkingSet;
        for (long i = 1; i <= count; i++)
        {
            Assert.True(pool.Mark(SharedPool.PlaceOf(i * Apart), Length(i)));
        }

        long after = Environment.WorkingSet;

        for (long i = 1; i <= count; i += 97)
        {
            long place = SharedPool.PlaceOf(i * Apart);
            Assert.Equal(Length(i), pool.Look(place, Length(i), out PoolState state));
            Assert.Equal(PoolState.There, state);
            long blocks = (Length(i) + 4095) / 4096 * 4096;
            Assert.Equal(4096, pool.Look(place + blocks, 4096, out state));
            Assert.Equal(PoolState.Missing, state);
        }

        Assert.InRange(after - before, long.MinValue, 50 << 20);
    }

    [Fact]
    public void Ten_million_extents_are_not_measured_for_the_progress()
    {
        int most = new CarryProgress(new CloneCounters()).MostExtents;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        ExtentSet extents = new(most);
        RangeSet ranges = new(most);

        Assert.Throws<InsufficientMemoryException>(() => Add(place => extents.Add(place)));
        Assert.Throws<InsufficientMemoryException>(() => Add(place => ranges.Add(place, 4096)));

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 60 << 20);
        GC.KeepAlive(extents);
        GC.KeepAlive(ranges);

        static void Add(Action<long> add)
        {
            for (long i = 1; i <= 10_000_000; i++)
            {
                add(i * Apart);
            }
        }
    }

    [BtrfsFact]
    public void A_block_that_a_shorter_file_ended_in_is_there_in_part()
    {
        using OwnedDescriptor folder = Open(btrfs.NewFolder());
        using SharedPool pool = SharedPool.TryMake(folder.Descriptor, noCow: false, 4096, ulong.MaxValue)!;
        long place = SharedPool.PlaceOf(1 << 20);
        Assert.True(pool.Mark(place, 8192 + 100));

        Assert.Equal(8292, pool.Look(place, 8292, out PoolState state));
        Assert.Equal(PoolState.There, state);
        Assert.Equal(8192, pool.Look(place, 8293, out state));
        Assert.Equal(PoolState.There, state);
        Assert.Equal(101, pool.Look(place + 8192, 101, out state));
        Assert.Equal(PoolState.InPart, state);
        pool.Unmark(place, 8292);
        Assert.Equal(8292, pool.Look(place, 8292, out state));
        Assert.Equal(PoolState.Missing, state);
    }

    private static long Length(long i) => 1 + (i * 997 % (Apart / 2));

    private static OwnedDescriptor Open(string folder)
    {
        Assert.True(Sys.Open(folder, OpenFlags.ReadOnly | OpenFlags.Directory, out Descriptor opened).Succeeded);
        return new OwnedDescriptor(opened);
    }
}
