using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>
/// Finds all references to a data extent, in any subvolume and snapshot. The kernel lists them (LOGICAL_INO_V2); if there are more
/// than it can list, some 699,000, all subvolumes are read instead. Requires CAP_SYS_ADMIN.
/// </summary>
internal sealed class OwnerSearch
{
    // Nearly all extents have few owners, and the kernel clears and copies the whole buffer that it is given.
    private const int FirstAnswer = 4 << 10;

    // The maximum that the kernel accepts (fs/btrfs/ioctl.c, btrfs_ioctl_logical_to_ino).
    private const int LargestAnswer = 16 << 20;

    private readonly TreeSearch _search = new();
    private byte[] _answer = new byte[FirstAnswer];
    private Descriptor _file;

    /// <summary>Starts a filesystem.</summary>
    /// <param name="file">Any open file on it.</param>
    /// <param name="path">The path to use in error messages.</param>
    public void Start(Descriptor file, string path)
    {
        _file = file;
        _search.Start(file, path);
    }

    /// <summary>Fails if the process lacks permission, or the ioctl is not supported.</summary>
    public CallResult Probe()
    {
        // No extent starts at 0.
        CallResult result = Sys.ExtentOwners(_file, 0, _answer, out _, out _);
        return result.Is(Errno.ENOENT) ? CallResult.Success : result;
    }

    /// <summary>
    /// Finds the owners of an extent, sorted by subvolume, inode and offset: none if the extent no longer exists. All have to be
    /// read before the next call.
    /// </summary>
    /// <param name="extent">The start of the extent on disk.</param>
    /// <param name="largestAnswer">The maximum size of an answer of the kernel in bytes; for tests.</param>
    /// <exception cref="BtrfsException">They cannot be read.</exception>
    public IEnumerable<ExtentOwner> Find(long extent, int largestAnswer = LargestAnswer)
    {
        CallResult result = Ask(extent, largestAnswer, int.MaxValue, out int? listed);
        return result.Failed ? throw BtrfsException.FromErrno(result.Error, SystemCall.LogicalIno, _search.Path)
            : listed is int count ? Enumerable.Range(0, count).Select(index => Owners(count)[index])
            : FindInTrees(extent);
    }

    /// <summary>Counts the owners of an extent.</summary>
    /// <param name="extent">The start of the extent on disk.</param>
    /// <param name="most">The expected maximum.</param>
    /// <param name="count">The number of owners; null if there are more than expected.</param>
    public CallResult TryCount(long extent, int most, out int? count) => Ask(extent, LargestAnswer, most, out count);

    /// <summary>Asks the kernel for the number of owners; null if there are more than it can list, or than expected.</summary>
    private CallResult Ask(long extent, int largest, int most, out int? count)
    {
        count = null;
        for (long size = FirstAnswer; ;)
        {
            Span<byte> answer = Room((int)Math.Min(size, largest));
            CallResult result = Sys.ExtentOwners(
                _file, (ulong)extent, answer, out ReadOnlySpan<ExtentOwner> owners, out long missing);
            if (result.Failed)
            {
                count = result.Is(Errno.ENOENT) ? 0 : null;
                return count is null ? result : CallResult.Success;
            }

            if (missing == 0 || owners.Length > most || answer.Length >= largest)
            {
                Owners(owners.Length).Sort(ExtentOwner.Compare);
                count = missing == 0 && owners.Length <= most ? owners.Length : null;
                return CallResult.Success;
            }

            size = answer.Length + missing;
        }
    }

    private Span<byte> Room(int size)
    {
        if (_answer.Length < size)
        {
            _answer = new byte[size];
        }

        return _answer.AsSpan(0, size);
    }

    private Span<ExtentOwner> Owners(int count) =>
        MemoryMarshal.Cast<byte, ExtentOwner>(_answer.AsSpan(Sys.OwnersHead))[..count];

    private IEnumerable<ExtentOwner> FindInTrees(long extent)
    {
        foreach (ulong subvolume in SubvolumeTable.Read(_search).Subvolumes)
        {
            var from = new ItemKey(BtrfsKey.FirstFree, 0, 0);
            while (Find(subvolume, from))
            {
                while (TryTake(extent, ref from, out ulong inode, out long offset))
                {
                    if (offset >= 0)
                    {
                        yield return new ExtentOwner { Root = subvolume, Inode = inode, Offset = (ulong)offset };
                    }
                }
            }
        }
    }

    private bool Find(ulong subvolume, in ItemKey from)
    {
        CallResult found = _search.TryFind(
            subvolume, from, new ItemKey(ulong.MaxValue, byte.MaxValue, ulong.MaxValue), uint.MaxValue);
        return found.Succeeded || found.Is(Errno.ENOENT)
            ? found.Value > 0
            : throw BtrfsException.FromErrno(found.Error, SystemCall.TreeSearch, _search.Path);
    }

    /// <summary>Reads an item. The offset is that of a file extent in the extent, and negative for all other items.</summary>
    private bool TryTake(long extent, ref ItemKey from, out ulong inode, out long offset)
    {
        (inode, offset) = (0, -1);
        if (!_search.Next(out TreeSearchHeader header, out ReadOnlySpan<byte> item))
        {
            return false;
        }

        inode = header.ObjectId;
        if (!TreeSearch.TryGoOn(header, ref from))
        {
            throw _search.Malformed();
        }

        if (header.Type == BtrfsKey.ExtentData)
        {
            if (!TreeItems.TryReadFileExtent(item, header.Offset, out FileExtent piece))
            {
                throw _search.Malformed();
            }

            offset = piece.RawDiskOffset == extent ? piece.Offset : -1;
        }

        return true;
    }
}
