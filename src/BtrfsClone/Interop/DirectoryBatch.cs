namespace BtrfsClone.Interop;

/// <summary>The result of one getdents64(2): a part of a directory's entries, read in place.</summary>
internal readonly unsafe struct DirectoryBatch(byte* start, int size)
{
    /// <summary>The number of bytes read at a time.</summary>
    public const int BufferSize = 32 * 1024;

    /// <summary>There are no more entries.</summary>
    public bool IsEmpty => size <= 0;

    public int Size => size;

    public Enumerator GetEnumerator() => new(start, start + Math.Max(size, 0));

    /// <summary>One entry; valid as long as the buffer is.</summary>
    public readonly struct Entry(DirectoryEntry* record)
    {
        /// <summary>A DT_* value; <see cref="DirectoryEntry.TypeUnknown"/> if the filesystem does not report it.</summary>
        public byte Type
        {
            get => record->Type;
            set => record->Type = value;
        }

        public ulong Inode => record->Inode;

        /// <summary>Where the listing continues after this entry.</summary>
        public long NextOffset => record->NextOffset;

        /// <summary>The name, null-terminated.</summary>
        public byte* NamePointer => (byte*)record + DirectoryEntry.NameOffset;

        public ReadOnlySpan<byte> Name => new(NamePointer, Utf8Z.Length(NamePointer));

        public bool IsDotOrDotDot =>
            NamePointer[0] == '.' && (NamePointer[1] == 0 || (NamePointer[1] == '.' && NamePointer[2] == 0));
    }

    /// <summary>Moves from record to record, and stops at one that is not within the buffer.</summary>
    public struct Enumerator(byte* start, byte* end)
    {
        private byte* _next = start;
        private byte* _current;

        public readonly Entry Current => new((DirectoryEntry*)_current);

        /// <summary>
        /// Whether, when there is no next record, all have been read. The kernel's records fill the number of bytes that it
        /// returned; after a malformed one, others may be hidden.
        /// </summary>
        public readonly bool IsAtEnd => _current == end;

        public bool MoveNext()
        {
            _current = _next;
            if (end - _current <= DirectoryEntry.NameOffset)
            {
                return false;
            }

            int length = ((DirectoryEntry*)_current)->RecordLength;
            if (length <= DirectoryEntry.NameOffset || length > end - _current ||
                !new ReadOnlySpan<byte>(_current + DirectoryEntry.NameOffset, length - DirectoryEntry.NameOffset).Contains((byte)0))
            {
                return false;
            }

            _next = _current + length;
            return true;
        }
    }
}
