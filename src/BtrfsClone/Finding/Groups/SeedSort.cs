using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>Sorts seeds by the bytes of their keys, in linear time.</summary>
internal static class SeedSort
{
    private const int Values = 256;

    // Below this, comparison sorting is faster; keys are evenly distributed, so most parts become this small after few bytes.
    private const int Small = 40;

    public static void Sort(Span<Seed> seeds) => Sort(seeds, shift: 56);

    /// <summary>Partitions the seeds by one byte of their keys, in place (American flag sort), and sorts each part.</summary>
    private static void Sort(Span<Seed> seeds, int shift)
    {
        if (seeds.Length <= Small)
        {
            Insert(seeds);
            return;
        }

        if (shift < 0)
        {
            // All have the same key.
            seeds.Sort();
            return;
        }

        Span<int> ends = stackalloc int[Values];
        Span<int> next = stackalloc int[Values];
        Part(seeds, shift, next, ends);
        int start = 0;
        for (int value = 0; value < Values; value++)
        {
            Sort(seeds[start..ends[value]], shift - 8);
            start = ends[value];
        }
    }

    private static void Part(Span<Seed> seeds, int shift, Span<int> next, Span<int> ends)
    {
        ends.Clear();
        foreach (ref readonly Seed seed in seeds)
        {
            ends[(byte)(seed.Key >> shift)]++;
        }

        int sum = 0;
        for (int value = 0; value < Values; value++)
        {
            next[value] = sum;
            sum += ends[value];
            ends[value] = sum;
        }

        for (int value = 0; value < Values; value++)
        {
            while (next[value] < ends[value])
            {
                Seed seed = seeds[next[value]];
                for (int home = (byte)(seed.Key >> shift); home != value; home = (byte)(seed.Key >> shift))
                {
                    ref Seed place = ref seeds[next[home]++];
                    (seed, place) = (place, seed);
                }

                seeds[next[value]++] = seed;
            }
        }
    }

    private static void Insert(Span<Seed> seeds)
    {
        ref Seed first = ref MemoryMarshal.GetReference(seeds);
        for (int i = 1; i < seeds.Length; i++)
        {
            Seed seed = Unsafe.Add(ref first, i);
            int at = i;
            for (; at > 0; at--)
            {
                ref Seed before = ref Unsafe.Add(ref first, at - 1);
                if (before.Key < seed.Key || (before.Key == seed.Key && before.Order <= seed.Order))
                {
                    break;
                }

                Unsafe.Add(ref first, at) = before;
            }

            Unsafe.Add(ref first, at) = seed;
        }
    }
}
