using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>
/// Opens the regular files below a directory, one after the other, depth first. Each directory is read in pieces, the
/// files of a piece before its subdirectories, so that what is kept is the subdirectory names of one piece for each
/// level; and only the lowest levels stay open.
/// </summary>
internal sealed unsafe class FileWalk : IDisposable
{
    private const int BufferSize = 32 * 1024;

    // What has gone or become something else since it was listed has nothing left to wait for.
    private const int Enxio = 6;

    /// <summary>No link is followed, and nothing put in a file's place blocks the opening.</summary>
    private static readonly int s_fileFlags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock |
        OpenFlags.NoControllingTerminal;

    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly List<Level> _levels = [];
    private readonly string _path;
    private readonly int _maxOpen;
    private byte* _at;
    private byte* _end;

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
            if (_at < _end)
            {
                var entry = (DirectoryEntry*)_at;
                byte* name = _at + DirectoryEntry.NameOffset;
                _at += entry->RecordLength;
                Current.Offset = entry->NextOffset;
                if (TryOpen(entry, name, out descriptor, out failure))
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

    private bool TryOpen(DirectoryEntry* entry, byte* name, out int descriptor, out BtrfsException? failure)
    {
        descriptor = -1;
        failure = null;
        byte type = entry->Type;
        if (type == DirectoryEntry.TypeUnknown && Sys.StatEntry(Current.Descriptor, name, out Statx status) >= 0)
        {
            // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h).
            type = (byte)(status.FileType >> 12);
        }

        if (type == DirectoryEntry.TypeDirectory && !IsDotOrDotDot(name))
        {
            Current.Subdirectories.Push(new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1).ToArray());
        }
        else if (type == DirectoryEntry.TypeRegular)
        {
            descriptor = Sys.OpenAt(Current.Descriptor, name, s_fileFlags);
            if (descriptor < 0 && !IsGone(descriptor))
            {
                failure = Failure("openat", descriptor, new ReadOnlySpan<byte>(name, Utf8Z.Length(name)));
            }
        }

        return descriptor >= 0;
    }

    private BtrfsException? List()
    {
        int size = Sys.ReadDirectory(Current.Descriptor, _buffer, BufferSize);
        _at = _buffer;
        _end = _buffer + Math.Max(size, 0);
        Current.Listed = size <= 0;
        return size < 0 && !IsGone(size) ? Failure("getdents64", size, []) : null;
    }

    private BtrfsException? Enter(byte[] name)
    {
        fixed (byte* bytes = name)
        {
            int descriptor = OpenDirectory(Current.Descriptor, bytes, OpenFlags.NoFollow);
            if (descriptor < 0)
            {
                return IsGone(descriptor) ? null : Failure("openat", descriptor, name.AsSpan(0, name.Length - 1));
            }

            _levels.Add(new Level(name, descriptor));
        }

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

    /// <summary>Listing a directory counts as access; its owner and root may leave the time alone.</summary>
    private static int OpenDirectory(int directory, byte* name, int more)
    {
        int flags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlock | more;
        int descriptor = Sys.OpenAt(directory, name, flags | OpenFlags.NoAccessTime);
        return descriptor == -Errno.EPERM ? Sys.OpenAt(directory, name, flags) : descriptor;
    }

    private static bool IsGone(int result) => result is -Errno.ENOENT or -Errno.ENOTDIR or -Errno.ELOOP or -Enxio;

    private static bool IsDotOrDotDot(byte* name) =>
        name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));

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

        /// <summary>Opens it again from a child, and checks that it is the same directory.</summary>
        public bool Reopen(int child)
        {
            fixed (byte* parent = "..\0"u8)
            {
                Descriptor = OpenDirectory(child, parent, 0);
            }

            bool same = Descriptor >= 0 && Sys.Stat(Descriptor, out Statx status) >= 0 && status.IsSameFileAs(_status) &&
                Sys.Seek(Descriptor, Offset) >= 0;
            if (!same)
            {
                Close();
            }

            return same;
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
