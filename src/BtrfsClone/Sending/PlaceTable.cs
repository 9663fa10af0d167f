namespace BtrfsClone.Sending;

/// <summary>
/// Which data of a source's disk is already in the stream, and where: sorted ranges of addresses. Memory is bounded: when it is
/// full, nothing more is recorded.
/// </summary>
/// <param name="most">The maximum number of ranges, each of which takes 24 bytes or, in the worst case, twice that.</param>
internal sealed class PlaceTable(int most)
{
    private const int ChunkSize = 512;
    private const long LongestRun = 1L << 30;

    private readonly List<Chunk> _chunks = [];
    private int _count;

    /// <summary>
    /// Looks up a range of addresses. Returns the length of its uniform first part: in the stream, contiguous in one file, or not
    /// in it.
    /// </summary>
    /// <param name="place">The start of the range.</param>
    /// <param name="length">Its length, at least one byte.</param>
    /// <param name="file">The file that contains it, or -1.</param>
    /// <param name="offset">Its offset in that file.</param>
    public long Look(long place, long length, out int file, out long offset)
    {
        (file, offset) = (-1, 0);
        int chunk = ChunkOf(place);
        int index = chunk < 0 ? -1 : IndexOf(_chunks[chunk], place);
        if (index >= 0)
        {
            ref readonly Run run = ref _chunks[chunk].Runs[index];
            if (run.Place + run.Length > place)
            {
                (file, offset) = (run.File, run.Offset + (place - run.Place));
                return Math.Min(length, run.Place + run.Length - place);
            }
        }

        long next = NextAfter(chunk, index);
        return Math.Min(length, next - place);
    }

    /// <summary>Records where a range is that is not in the table. False if the table is full.</summary>
    public bool Add(long place, long length, int file, long offset)
    {
        int chunk = ChunkOf(place);
        int index = chunk < 0 ? -1 : IndexOf(_chunks[chunk], place);
        if (index >= 0)
        {
            ref Run before = ref _chunks[chunk].Runs[index];
            if (before.File == file && before.Place + before.Length == place && before.Offset + before.Length == offset &&
                before.Length + length <= LongestRun)
            {
                before.Length += (int)length;
                return true;
            }
        }

        if (_count >= most || length > LongestRun)
        {
            return false;
        }

        Insert(chunk, index + 1, new Run { Place = place, Length = (int)length, File = file, Offset = offset });
        return true;
    }

    /// <summary>Removes a range that was added last: the end of what is stored as one range, or all of it.</summary>
    public void Remove(long place)
    {
        int chunk = ChunkOf(place);
        int index = chunk < 0 ? -1 : IndexOf(_chunks[chunk], place);
        if (index < 0)
        {
            return;
        }

        Chunk found = _chunks[chunk];
        ref Run run = ref found.Runs[index];
        if (run.Place + run.Length <= place)
        {
            return;
        }

        run.Length = (int)(place - run.Place);
        if (run.Length == 0)
        {
            found.Runs.AsSpan(index + 1, found.Count - index - 1).CopyTo(found.Runs.AsSpan(index));
            found.Count--;
            _count--;
            if (found.Count == 0)
            {
                _chunks.RemoveAt(chunk);
            }
        }
    }

    private void Insert(int chunk, int index, in Run run)
    {
        if (chunk < 0)
        {
            chunk = 0;
            index = 0;
            if (_chunks.Count == 0)
            {
                _chunks.Add(new Chunk());
            }
        }

        if (_chunks[chunk].Count == ChunkSize)
        {
            // Addresses are mostly added in order: a chunk that grows at its end stays full.
            int kept = index == ChunkSize ? ChunkSize : ChunkSize / 2;
            Chunk next = new() { Count = ChunkSize - kept };
            _chunks[chunk].Runs.AsSpan(kept).CopyTo(next.Runs);
            _chunks[chunk].Count = kept;
            _chunks.Insert(chunk + 1, next);
            (chunk, index) = index > kept || kept == ChunkSize ? (chunk + 1, index - kept) : (chunk, index);
        }

        Chunk into = _chunks[chunk];
        into.Runs.AsSpan(index, into.Count - index).CopyTo(into.Runs.AsSpan(index + 1));
        into.Runs[index] = run;
        into.Count++;
        _count++;
    }

    private long NextAfter(int chunk, int index)
    {
        if (chunk < 0)
        {
            return _chunks.Count == 0 ? long.MaxValue : _chunks[0].Runs[0].Place;
        }

        return index + 1 < _chunks[chunk].Count ? _chunks[chunk].Runs[index + 1].Place
            : chunk + 1 < _chunks.Count ? _chunks[chunk + 1].Runs[0].Place
            : long.MaxValue;
    }

    /// <summary>The last chunk that starts at or before an address, or -1.</summary>
    private int ChunkOf(long place)
    {
        int low = 0;
        int high = _chunks.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _chunks[middle].Runs[0].Place <= place ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    /// <summary>The last range of a chunk that starts at or before an address.</summary>
    private static int IndexOf(Chunk chunk, long place)
    {
        int low = 0;
        int high = chunk.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = chunk.Runs[middle].Place <= place ? (middle + 1, high) : (low, middle);
        }

        return low - 1;
    }

    private struct Run
    {
        public long Place;
        public long Offset;
        public int Length;
        public int File;
    }

    private sealed class Chunk
    {
        public Run[] Runs { get; } = new Run[ChunkSize];

        public int Count { get; set; }
    }
}
