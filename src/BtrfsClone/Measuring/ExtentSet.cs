using System.Numerics;

namespace BtrfsClone.Measuring;

/// <summary>
/// The set of extents already counted, by disk address: 8 bytes each in a table that is between a quarter and three quarters full.
/// </summary>
/// <param name="most">The maximum number of extents; one more is an <see cref="InsufficientMemoryException"/>.</param>
internal sealed class ExtentSet(int most = int.MaxValue)
{
    private const int FirstSize = 1 << 8;

    // No extent has the address 0, so 0 means an empty slot.
    private long[] _slots = new long[FirstSize];
    private int _count;

    /// <summary>Adds an extent. Returns false if it was already in the set.</summary>
    public bool Add(long place)
    {
        if (_count >= _slots.Length / 4 * 3)
        {
            Grow();
        }

        ref long slot = ref Find(_slots, place);
        if (slot != 0)
        {
            return false;
        }

        if (_count == most)
        {
            throw new InsufficientMemoryException();
        }

        slot = place;
        _count++;
        return true;
    }

    public void Clear()
    {
        _slots = new long[FirstSize];
        _count = 0;
    }

    private void Grow()
    {
        long[] slots = new long[_slots.Length * 2];
        foreach (long place in _slots)
        {
            if (place != 0)
            {
                Find(slots, place) = place;
            }
        }

        _slots = slots;
    }

    /// <summary>The slot of an extent, or the empty slot where it belongs.</summary>
    private static ref long Find(long[] slots, long place)
    {
        // Addresses are multiples of the block size: Fibonacci hashing distributes them by the high bits.
        int shift = 64 - BitOperations.Log2((uint)slots.Length);
        int index = (int)(((ulong)place * 0x9E3779B97F4A7C15) >> shift);
        while (slots[index] != 0 && slots[index] != place)
        {
            index = (index + 1) & (slots.Length - 1);
        }

        return ref slots[index];
    }
}
