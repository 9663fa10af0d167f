using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Delalloc;

/// <summary>
/// Opens the regular files below a directory, one after the other, depth first. Each directory is read in pieces, the
/// files of a piece before its subdirectories, so that what is kept is the subdirectory names of one piece for each
/// level; and only the lowest levels stay open.
/// </summary>
internal sealed unsafe class FileWalk : IDisposable
{
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);
    private readonly List<Level> _levels = [];
    private readonly string _path;
    private readonly int _maxOpen;
    private DirectoryBatch.Enumerator _entries;

    /// <param name="directory">The open directory. It stays the caller's, and its offset is moved.</param>
    /// <param name="path">Its path, for failures.</param>
    /// <param name="maxOpen">How many directories below it may be open at once, at least 1.</param>
    public FileWalk(int directory, string path, int maxOpen)
    {
        _path = path;
        _maxOpen = maxOpen;
        _levels.Add(new Level([], directory));
        _ = Sys.Seek(directory, 0);
    }

    private Level Current => _levels[^1];

    /// <summary>Goes on to the next file.</summary>
    /// <param name="descriptor">The open file, which is the caller's now; -1 with a failure.</param>
    /// <param name="failure">Why a file or directory could not be opened or read. The walk goes on without it.</param>
    /// <returns>False at the end.</returns>
    public bool Next(out int descriptor, out BtrfsException? failure)
    {
        descriptor = -1;
        failure = null;
        while (_levels.Count > 0 && failure is null)
        {
            if (_entries.MoveNext())
            {
                Current.Offset = _entries.Current.NextOffset;
                if (TryOpen(_entries.Current, out descriptor, out failure))
                {
                    return true;
                }
            }
            else if (Current.Subdirectories.TryPop(out byte[]? subdirectory))
            {
                failure = Enter(subdirectory);
            }
            else if (Current.Listed)
            {
                failure = Leave();
            }
            else
            {
                failure = List();
            }
        }

        return failure is not null;
    }

    /// <summary>Closes what is open below the directory.</summary>
    public void Dispose()
    {
        for (int i = 1; i < _levels.Count; i++)
        {
            _levels[i].Close();
        }

        _levels.Clear();
        NativeMemory.Free(_buffer);
    }

    private bool TryOpen(DirectoryBatch.Entry entry, out int descriptor, out BtrfsException? failure)
    {
        descriptor = -1;
        failure = null;
        byte type = entry.Type;
        if (type == DirectoryEntry.TypeUnknown &&
            Sys.StatEntry(Current.Descriptor, entry.NamePointer, out Statx status) >= 0)
        {
            // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h).
            type = (byte)(status.FileType >> 12);
        }

        if (type == DirectoryEntry.TypeDirectory && !entry.IsDotOrDotDot)
        {
            Current.Subdirectories.Push([.. entry.Name, 0]);
        }
        else if (type == DirectoryEntry.TypeRegular)
        {
            descriptor = FileOpener.Open(Current.Descriptor, entry.NamePointer);
            if (descriptor < 0 && !FileOpener.IsGone(descriptor))
            {
                failure = Failure("openat", descriptor, entry.Name);
            }
        }

        return descriptor >= 0;
    }

    private BtrfsException? List()
    {
        int size = Sys.ReadDirectory(Current.Descriptor, _buffer, DirectoryBatch.BufferSize);
        _entries = new DirectoryBatch(_buffer, size).GetEnumerator();
        Current.Listed = size <= 0;
        return size < 0 && !FileOpener.IsGone(size) ? Failure("getdents64", size, []) : null;
    }

    private BtrfsException? Enter(byte[] name)
    {
        int descriptor = OpenDirectory.Below(Current.Descriptor, name);
        if (descriptor < 0)
        {
            return FileOpener.IsGone(descriptor) ? null : Failure("openat", descriptor, name.AsSpan(0, name.Length - 1));
        }

        _levels.Add(new Level(name, descriptor));
        int oldest = _levels.Count - 1 - _maxOpen;
        if (oldest > 0)
        {
            _levels[oldest].CloseForNow();
        }

        return null;
    }

    private BtrfsException? Leave()
    {
        Level left = Current;
        if (_levels.Count > 1 && _levels[^2].Descriptor < 0 && !_levels[^2].Reopen(left.Descriptor))
        {
            // A directory that was moved leads elsewhere: what is above it and was closed cannot be found again.
            var lost = new BtrfsException(BtrfsError.ChangedMeanwhile, PathOf([]));
            for (int i = 1; i < _levels.Count; i++)
            {
                _levels[i].Close();
            }

            _levels.Clear();
            return lost;
        }

        if (_levels.Count > 1)
        {
            left.Close();
        }

        _levels.RemoveAt(_levels.Count - 1);
        return null;
    }

    private BtrfsException Failure(string call, int result, ReadOnlySpan<byte> name) =>
        BtrfsException.FromErrno(-result, call, PathOf(name));

    private string PathOf(ReadOnlySpan<byte> name)
    {
        IEnumerable<string> parts = _levels.Skip(1).Select(level => Utf8Z.ToText(level.Name.AsSpan(0, level.Name.Length - 1)));
        string path = string.Join('/', parts.Prepend(_path.TrimEnd('/')));
        return name.IsEmpty ? path : $"{path}/{Utf8Z.ToText(name)}";
    }

    private sealed class Level(byte[] name, int descriptor)
    {
        private Statx _status;

        /// <summary>The name in the directory above, zero-terminated.</summary>
        public byte[] Name { get; } = name;

        /// <summary>-1 while it is closed.</summary>
        public int Descriptor { get; private set; } = descriptor;

        public Stack<byte[]> Subdirectories { get; } = new();

        public bool Listed { get; set; }

        /// <summary>Where the listing goes on when it had to be closed in between.</summary>
        public long Offset { get; set; }

        public void CloseForNow()
        {
            if (Descriptor >= 0)
            {
                _ = Sys.Stat(Descriptor, out _status);
                Close();
            }
        }

        /// <summary>Opens it again from a child.</summary>
        public bool Reopen(int child)
        {
            Descriptor = OpenDirectory.Above(child, _status);
            if (Descriptor >= 0 && Sys.Seek(Descriptor, Offset) < 0)
            {
                Close();
            }

            return Descriptor >= 0;
        }

        public void Close()
        {
            if (Descriptor >= 0)
            {
                Sys.Close(Descriptor);
            }

            Descriptor = -1;
        }
    }
}
