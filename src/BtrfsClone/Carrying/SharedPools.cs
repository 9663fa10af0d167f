using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// The shared pools of files with, or without, checksums. There are several, because the kernel lets one at a time write to a
/// file or clone from it. Which of them has an extent, its place on disk tells; and each extent is brought by one at a time.
/// </summary>
internal sealed class SharedPools(int count, bool noCow, long blockSize, ulong sizeLimit) : IDisposable
{
    /// <summary>The most pools: two descriptors each.</summary>
    public const int Most = 4;

    private readonly SharedPool?[] _pools = new SharedPool?[count];
    private readonly object _gate = new();
    private ulong _taken;
    private int _made;

    /// <summary>
    /// What stands for an extent when it is taken: one bit of 64, which it shares with others; all bits where it is not known
    /// which extent it is.
    /// </summary>
    public static ulong BitOf(in FileExtent extent) => extent.RawDiskOffset > 0 ? 1UL << HashOf(extent) : ulong.MaxValue;

    /// <summary>The pool that has an extent, or null where there can be none.</summary>
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

    /// <summary>Takes extents, unless somebody has one of them.</summary>
    public bool TryTake(ulong bits)
    {
        lock (_gate)
        {
            bool isFree = (_taken & bits) == 0;
            _taken |= isFree ? bits : 0;
            return isFree;
        }
    }

    /// <summary>Takes extents, once nobody has one of them.</summary>
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

    /// <summary>Lets others have them.</summary>
    public void Release(ulong bits)
    {
        lock (_gate)
        {
            _taken &= ~bits;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Removes them, all at once: the kernel has much to free.</summary>
    public void Dispose() => Parallel.ForEach(_pools, pool => pool?.Dispose());

    private static int HashOf(in FileExtent extent) => (int)((ulong)extent.RawDiskOffset * 0x9E3779B97F4A7C15 >> 58);
}
