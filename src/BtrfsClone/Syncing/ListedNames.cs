using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// The names in a destination directory with their inode numbers, from one listing instead of a statx(2) for each. Very large
/// directories are not listed, so that memory stays bounded.
/// </summary>
/// <remarks>
/// A mount point has another number than the inode that it hides, so this is only for trees without mounts. A change after the
/// listing also changes the directory, and is found by the next sync.
/// </remarks>
internal sealed unsafe class ListedNames : IDisposable
{
    private const int LeastBytes = 2 * DirectoryBatch.BufferSize;
    private const int MostBytes = 4 << 20;
    private const int LeastRecord = 24; // struct linux_dirent64 with a one-byte name, aligned.

    private byte* _records = (byte*)NativeMemory.Alloc(LeastBytes);
    private int _room = LeastBytes;
    private int[] _slots = [];
    private int _mask;
    private object? _listed;
    private bool _isKnown;

    /// <summary>The inode numbers of entries that are not directories, in ascending order.</summary>
    public List<ulong> Inodes { get; } = [];

    /// <summary>Lists a pair's destination, unless it was the last one that was listed.</summary>
    public void Read(SyncPair pair)
    {
        if (_listed == pair.Identity)
        {
            return;
        }

        _listed = pair.Identity;
        lock (_listed)
        {
            // A descriptor has one position.
            CallResult result = List(pair.Destination, out int size);
            Inodes.Clear();
            _isKnown = !result.Failed && Index(pair, size);
        }
    }

    /// <summary>Finds the inode of a name in the pair's destination. False if it is not known.</summary>
    public bool TryFind(SyncPair pair, ReadOnlySpan<byte> name, out ulong inode)
    {
        inode = 0;
        if (!_isKnown || _listed != pair.Identity)
        {
            return false;
        }

        for (int slot = SlotOf(name); _slots[slot] > 0; slot = (slot + 1) & _mask)
        {
            var entry = new DirectoryBatch.Entry((DirectoryEntry*)(_records + _slots[slot] - 1));
            if (entry.Name.SequenceEqual(name))
            {
                inode = entry.Inode;
                return true;
            }
        }

        return false;
    }

    public void Dispose()
    {
        NativeMemory.Free(_records);
        _records = null;
    }

    private int SlotOf(ReadOnlySpan<byte> name) => (int)XxHash3.HashToUInt64(name) & _mask;

    /// <summary>Reads all records. EINVAL if the buffer is too small.</summary>
    private CallResult List(Descriptor directory, out int size)
    {
        size = 0;
        CallResult result = Sys.Seek(directory, 0);
        while (!result.Failed)
        {
            if (_room - size < DirectoryBatch.BufferSize && _room < MostBytes)
            {
                _room *= 2;
                _records = (byte*)NativeMemory.Realloc(_records, (nuint)_room);
            }

            result = Sys.ReadDirectory(directory, _records + size, _room - size);
            if (result.Value <= 0)
            {
                break;
            }

            size += (int)result.Value;
        }

        return result;
    }

    /// <summary>Builds an index of the records by name. False if they are malformed.</summary>
    private bool Index(SyncPair pair, int size)
    {
        int slots = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(2 * size / LeastRecord, 2));
        _mask = slots - 1;
        if (_slots.Length < slots)
        {
            _slots = new int[slots];
        }

        _slots.AsSpan(0, slots).Clear();
        int count = 0;
        DirectoryBatch.Enumerator entries = new DirectoryBatch(_records, size).GetEnumerator();
        while (entries.MoveNext())
        {
            DirectoryBatch.Entry entry = entries.Current;
            if (entry.IsDotOrDotDot)
            {
                continue;
            }

            int slot = SlotOf(entry.Name);
            while (_slots[slot] > 0)
            {
                slot = (slot + 1) & _mask;
            }

            _slots[slot] = (int)(entry.NamePointer - DirectoryEntry.NameOffset - _records) + 1;
            count++;
            if (entry.Type != DirectoryEntry.TypeDirectory)
            {
                Inodes.Add(entry.Inode);
            }
        }

        Inodes.Sort();

        if (entries.IsAtEnd)
        {
            pair.DestinationEntries = count;
        }

        return entries.IsAtEnd;
    }
}
