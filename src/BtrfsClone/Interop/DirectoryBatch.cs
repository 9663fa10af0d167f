namespace BtrfsClone.Interop;

/// <summary>What one getdents64(2) gave: a part of a directory's entries, read where they lie.</summary>
internal readonly unsafe struct DirectoryBatch(byte* start, int size)
{
    /// <summary>Bytes that are read at a time.</summary>
    public const int BufferSize = 32 * 1024;

    /// <summary>Nothing more is listed.</summary>
    public bool IsEmpty => size <= 0;

    public int Size => size;

    public Enumerator GetEnumerator() => new(start, start + Math.Max(size, 0));

    /// <summary>One entry; valid as long as the buffer is.</summary>
    public readonly struct Entry(DirectoryEntry* record)
    {
        /// <summary>A DT_* value; <see cref="DirectoryEntry.TypeUnknown"/> where the filesystem does not say.</summary>
        public byte Type
        {
            get => record->Type;
            set => record->Type = value;
        }

        public ulong Inode => record->Inode;

        /// <summary>Where the listing goes on after this entry.</summary>
        public long NextOffset => record->NextOffset;

        /// <summary>The name, zero-terminated.</summary>
        public byte* NamePointer => (byte*)record + DirectoryEntry.NameOffset;

        public ReadOnlySpan<byte> Name => new(NamePointer, Utf8Z.Length(NamePointer));

        public bool IsDotOrDotDot =>
            NamePointer[0] == '.' && (NamePointer[1] == 0 || (NamePointer[1] == '.' && NamePointer[2] == 0));
    }

    /// <summary>Goes from record to record, and ends at one that does not lie within the buffer.</summary>
    public struct Enumerator(byte* start, byte* end)
    {
        private byte* _next = start;
        private byte* _current;

        public readonly Entry Current => new((DirectoryEntry*)_current);

        /// <summary>
        /// Whether, once there is no next record, all have been seen. The kernel's records fill what it says that it has
        /// read; after one that does not, others may be hidden.
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
