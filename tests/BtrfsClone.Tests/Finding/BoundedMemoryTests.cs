using System.Diagnostics;
using System.Globalization;
using BtrfsClone.Finding;
using BtrfsClone.Tests.Support;
using Xunit.Abstractions;

namespace BtrfsClone.Tests.Finding;

/// <summary>Searches whose tables do not fit into the memory that they may have.</summary>
public sealed class BoundedMemoryTests(ITestOutputHelper output)
{
    private const long MiB = 1 << 20;

    // What a process has beside its tables, and what 300 MB leave for them.
    private const long MostGrowth = 250 * MiB;

    private const int SampleBlocks = 1 << 18;

    [Fact]
    public void Grouping_takes_bounded_memory_and_time_in_proportion()
    {
        // 100 million blocks and a sixteenth of them, or as much less as the memory that the tables may have.
        int files = TestMachine.IsThorough ? 1_562_500 : 31_250;
        long limit = TestMachine.IsThorough ? WorkingMemory.DefaultLimit : 8 * MiB;
        long most = TestMachine.IsThorough ? MostGrowth : 60 * MiB;

        double small = Search(files / 16, limit, most);
        double large = Search(files, limit, most);

        // The smaller one has it all in memory; that is allowed for, and no more.
        Assert.InRange(large, 0, 16 * 2 * Math.Max(small, 0.1));
    }

    [Fact]
    public void Sorting_with_next_to_no_memory_gives_everything_in_order()
    {
        // Parts of 512 items: 128 of them become one, several times.
        const int Count = 300_000;
        var memory = new WorkingMemory(limit: 64 << 10);
        using var sorter = new Sorter<Twin>(memory);
        Random random = new(5);
        int[] keys = [.. Enumerable.Range(0, Count)];
        random.Shuffle(keys);
        foreach (int key in keys)
        {
            sorter.Add(new Twin(key / 3, key));
        }

        for (int pass = 0; pass < 2; pass++)
        {
            using SortedReader<Twin> reader = sorter.Read();
            int next = 0;
            while (reader.Next(out Twin twin))
            {
                Assert.Equal(new Twin(next / 3, next), twin);
                next++;
            }

            Assert.Equal(Count, next);
        }
    }

    [Fact]
    public void A_list_reads_and_writes_the_same_in_memory_and_in_a_file()
    {
        const int Count = 100_000;
        using SpillList<long> list = new(new WorkingMemory(limit: 64 << 10));
        Random random = new(6);
        List<long> expected = [];
        long[] items = new long[20_000];
        while (expected.Count < Count)
        {
            // Parts from one item on, and such that are larger than what is kept back before it is written.
            Span<long> part = items.AsSpan(0, random.Next(10) == 0 ? random.Next(items.Length) : random.Next(50) + 1);
            random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(part));
            list.Add(part);
            expected.AddRange(part);
            int at = random.Next(expected.Count);
            Assert.Equal(expected[at], list[at]);
            int count = list.Read(at, items);
            Assert.Equal(expected.Skip(at).Take(items.Length), items.AsSpan(0, count).ToArray());
            part = items.AsSpan(0, Math.Min(count, random.Next(3000)));
            part.Reverse();
            list.Write(at, part);
            for (int i = 0; i < part.Length; i++)
            {
                expected[at + i] = part[i];
            }

            at = random.Next(expected.Count);
            Assert.Equal(expected[at], list[at]);
        }

        Assert.Equal(expected.Count, list.Count);
        ListReader<long> reader = new(list);
        foreach (long item in expected)
        {
            Assert.True(reader.Next(out long read));
            Assert.Equal(item, read);
        }

        Assert.False(reader.Next(out _));
    }

    /// <summary>Groups a simulated tree. Returns the seconds of processor time that it took.</summary>
    private double Search(int count, long limit, long most)
    {
        GC.Collect();
        long before = Resident();
        long peak = before;
        long untilSample = 0;
        void Sample(long blocks)
        {
            // Asking takes longer than the few blocks that are worked on between two calls.
            untilSample -= blocks;
            if (untilSample <= 0)
            {
                peak = Math.Max(peak, Resident());
                untilSample = SampleBlocks;
            }
        }

        TimeSpan began = ProcessorTime();
        SimulatedTree tree = new(count);
        WorkingMemory memory = new(limit);
        using FileTable files = new(memory);
        using SearchTables tables = new(memory, files, SimulatedTree.BlockSize);
        using (Sorter<Piece> pieces = new(memory))
        {
            tree.Fill(files, pieces);
            using SortedReader<Piece> sorted = pieces.Read();
            new BlockScan(tables, tree, references: null, new FileMarks(), Sample).Run(sorted);
        }

        using GroupList groups = new(tables, _ => false);
        using (Sorter<GroupPart> parts = new(memory))
        {
            using (FileGrouping whole = new(tables, tree, () => Sample(SampleBlocks)))
            {
                whole.Run(parts);
                new RangeGrouping(tables, tree, whole, leastLength: 1).Run(parts, Sample);
            }

            using SortedReader<GroupPart> sorted = parts.Read();
            groups.Fill(sorted);
        }

        Sample(SampleBlocks);
        double seconds = (ProcessorTime() - began).TotalSeconds;
        (long fileCount, long fileGain, long rangeCount, long rangeGain) = (0, 0, 0, 0);
        using SortedReader<RankedGroup> ranked = groups.Ranked.Read();
        while (ranked.Next(out RankedGroup group))
        {
            bool isFile = groups.Head(group.Group).IsFile;
            fileCount += isFile ? 1 : 0;
            fileGain += isFile ? group.Gain : 0;
            rangeCount += isFile ? 0 : 1;
            rangeGain += isFile ? 0 : group.Gain;
        }

        output.WriteLine($"{tree.Blocks:N0} blocks: {seconds:N1} s, {(peak - before) / MiB:N0} MiB");
        Assert.Equal(tree.FileGroups, (fileCount, fileGain));
        Assert.Equal(tree.RangeGroups, (rangeCount, rangeGain));
        Assert.InRange(peak - before, 0, most);
        return seconds;
    }

    /// <summary>As other processes do not change it.</summary>
    private static TimeSpan ProcessorTime()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    /// <summary>Memory of the process's own, in bytes (proc(5)).</summary>
    private static long Resident()
    {
        string line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
    }
}
