using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The shared pools for files with, or without, checksums. There are several, because the kernel allows only one thread at a time
/// to write to a file or clone from it. The disk address of an extent determines its pool; and each extent is copied by one thread
/// at a time.
/// </summary>
internal sealed class SharedPools(int count, bool noCow, long blockSize, ulong sizeLimit) : IDisposable
{
    /// <summary>The maximum number of pools: each has two descriptors.</summary>
    public const int Most = 4;

    private readonly SharedPool?[] _pools = new SharedPool?[count];
    private readonly object _gate = new();
    private ulong _taken;
    private int _made;

    /// <summary>The lock bit of an extent: one of 64, which it shares with others; all bits if it is unknown which extent it is.</summary>
    public static ulong BitOf(in FileExtent extent) => extent.RawDiskOffset > 0 ? 1UL << HashOf(extent) : ulong.MaxValue;

    /// <summary>The pool for an extent, or null if there can be none.</summary>
    /// <param name="extent">The extent.</param>
    /// <param name="directory">A directory of the destination.</param>
    public SharedPool? Of(in FileExtent extent, Descriptor directory)
    {
        int index = extent.RawDiskOffset > 0 ? HashOf(extent) % _pools.Length : 0;
        lock (_gate)
        {
            if ((_made & (1 << index)) == 0)
            {
                _made |= 1 << index;
                _pools[index] = SharedPool.TryMake(directory, noCow, blockSize, sizeLimit);
            }

            return _pools[index];
        }
    }

    /// <summary>Locks extents, unless another thread holds one of them.</summary>
    public bool TryTake(ulong bits)
    {
        lock (_gate)
        {
            bool isFree = (_taken & bits) == 0;
            _taken |= isFree ? bits : 0;
            return isFree;
        }
    }

    /// <summary>Locks extents, after waiting until no other thread holds one of them.</summary>
    public void Take(ulong bits)
    {
        lock (_gate)
        {
            while (!TryTake(bits))
            {
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>Unlocks extents.</summary>
    public void Release(ulong bits)
    {
        lock (_gate)
        {
            _taken &= ~bits;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Removes them, in parallel: the kernel has much to free.</summary>
    public void Dispose() => Parallel.ForEach(_pools, pool => pool?.Dispose());

    private static int HashOf(in FileExtent extent) => (int)((ulong)extent.RawDiskOffset * 0x9E3779B97F4A7C15 >> 58);
}
