using System.Runtime.CompilerServices;

namespace BtrfsClone.Finding;

/// <summary>
/// A hash of sequences that can be computed from the hashes of their parts, however they are divided: a polynomial of the keys
/// modulo the prime 2^61-1.
/// </summary>
internal static class RollingHash
{
    private const ulong Prime = (1UL << 61) - 1;
    private const ulong Base = 0x0D1B54A32D192ED0;

    /// <summary>The hash of a sequence with one key appended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Append(ulong hash, ulong key) => Reduce(Multiply(hash, Base) + (key & Prime));

    /// <summary>The hash of two concatenated sequences.</summary>
    /// <param name="hash">The first one's hash.</param>
    /// <param name="next">The second one's hash.</param>
    /// <param name="length">The length of the second one.</param>
    public static ulong Join(ulong hash, ulong next, long length) =>
        hash == 0 ? next : Reduce(Multiply(hash, Power(length)) + next);

    /// <summary>The hash of the end of a sequence.</summary>
    /// <param name="whole">The whole sequence's hash.</param>
    /// <param name="first">The hash of the part before the end.</param>
    /// <param name="length">The length of the end.</param>
    public static ulong End(ulong whole, ulong first, long length) =>
        first == 0 ? whole : Reduce(whole + Prime - Multiply(first, Power(length)));

    /// <summary>The hash of one key repeated.</summary>
    public static ulong Repeat(ulong key, long count)
    {
        // Computed by doubling, like a power.
        ulong hash = 0;
        (ulong doubled, ulong doubledPower) = (Reduce(key & Prime), Base);
        for (; count > 0; count >>= 1)
        {
            if ((count & 1) != 0)
            {
                hash = Reduce(Multiply(hash, doubledPower) + doubled);
            }

            doubled = Reduce(Multiply(doubled, doubledPower) + doubled);
            doubledPower = Multiply(doubledPower, doubledPower);
        }

        return hash;
    }

    private static ulong Power(long exponent)
    {
        ulong power = 1;
        for (ulong square = Base; exponent > 0; exponent >>= 1, square = Multiply(square, square))
        {
            power = (exponent & 1) != 0 ? Multiply(power, square) : power;
        }

        return power;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Multiply(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return Reduce((low & Prime) + ((low >> 61) | (high << 3)));
    }

    /// <summary>The remainder of a number below 2^63.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Reduce(ulong value)
    {
        value = (value & Prime) + (value >> 61);
        return value >= Prime ? value - Prime : value;
    }
}
