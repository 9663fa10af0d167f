using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Opens the regular files below a directory, one after the other, depth first. Each directory is read in batches, and the files of
/// a batch are processed before its subdirectories, so memory holds the subdirectory names of one batch per level; and only the
/// deepest levels stay open.
/// </summary>
internal sealed unsafe class FileWalk : IDisposable
{
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);
    private readonly List<Level> _levels = [];
    private readonly string _path;
    private readonly int _maxOpen;
    private readonly bool _oneFileSystem;
    private readonly Action<string, string>? _onPassedOver;
    private readonly bool _recurse;
    private DirectoryBatch.Enumerator _entries;
    private bool _begun;

    /// <param name="directory">The open directory. It is not closed, and its offset is changed.</param>
    /// <param name="path">Its path, for failures.</param>
    /// <param name="maxOpen">The maximum number of open directories below it, at least 1.</param>
    /// <param name="oneFileSystem">Whether other filesystems are skipped.</param>
    /// <param name="onPassedOver">Receives the path of a directory that is not entered, and a description of what is mounted on it.</param>
    /// <param name="recurse">Whether subdirectories are entered.</param>
    public FileWalk(
        Descriptor directory, string path, int maxOpen, bool oneFileSystem, Action<string, string>? onPassedOver, bool recurse = true)
    {
        (_onPassedOver, _recurse) = (onPassedOver, recurse);
        _oneFileSystem = oneFileSystem;
        _path = path;
        _maxOpen = maxOpen;
        _levels.Add(new Level([], directory));
    }

    /// <summary>The path of the file that was opened last.</summary>
    public string FilePath => PathOf(_entries.Current.Name);

    private Level Current => _levels[^1];

    /// <summary>Advances to the next file.</summary>
    /// <param name="file">The open file, to be closed by the caller; none with a failure.</param>
    /// <param name="failure">Why a file or directory could not be opened or read. The walk continues without it.</param>
    /// <returns>False at the end.</returns>
    public bool Next(out Descriptor file, out BtrfsException? failure)
    {
        file = Descriptor.None;
        failure = null;
        while (_levels.Count > 0 && failure is null)
        {
            if (_entries.MoveNext())
            {
                Current.Offset = _entries.Current.NextOffset;
                if (TryOpen(_entries.Current, out file, out failure))
                {
                    return true;
                }
            }
            else if (!_entries.IsAtEnd)
            {
                _entries = default;
                failure = Failure(SystemCall.GetDents, Errno.EPROTO, []);
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

    /// <summary>Closes all open directories below the top directory.</summary>
    public void Dispose()
    {
        for (int i = 1; i < _levels.Count; i++)
        {
            _levels[i].Close();
        }

        _levels.Clear();
        NativeMemory.Free(_buffer);
    }

    private bool TryOpen(DirectoryBatch.Entry entry, out Descriptor file, out BtrfsException? failure)
    {
        file = Descriptor.None;
        failure = null;
        byte type = EntryType.Of(Current.Descriptor, entry);
        if (type == DirectoryEntry.TypeDirectory && _recurse && !entry.IsDotOrDotDot)
        {
            Current.Subdirectories.Push([.. entry.Name, 0]);
        }
        else if (type == DirectoryEntry.TypeRegular)
        {
            CallResult result = FileOpener.Open(Current.Descriptor, entry.NamePointer, out file);
            if (result.Failed && !FileOpener.IsGone(result))
            {
                failure = Failure(SystemCall.OpenAt, result, entry.Name);
            }
        }

        return file.IsOpen;
    }

    private BtrfsException? List()
    {
        if (!_begun)
        {
            // The previous pass has read the top directory.
            _begun = true;
            CallResult sought = Sys.Seek(Current.Descriptor, 0);
            if (sought.Failed)
            {
                Current.Listed = true;
                return Failure(SystemCall.Lseek, sought, []);
            }
        }

        CallResult size = Sys.ReadDirectory(Current.Descriptor, _buffer, DirectoryBatch.BufferSize);
        _entries = new DirectoryBatch(_buffer, (int)size.Value).GetEnumerator();
        Current.Listed = size.Value == 0;
        return size.Failed && !FileOpener.IsGone(size) ? Failure(SystemCall.GetDents, size, []) : null;
    }

    private BtrfsException? Enter(byte[] name)
    {
        CallResult result = OpenDirectory.Below(Current.Descriptor, name, out Descriptor directory);
        if (result.Failed)
        {
            return FileOpener.IsGone(result) ? null : Failure(SystemCall.OpenAt, result, name.AsSpan(0, name.Length - 1));
        }

        OtherFileSystem mounted = On(directory);
        if (mounted.IsLeftOut(_oneFileSystem))
        {
            _onPassedOver?.Invoke(PathOf(name.AsSpan(0, name.Length - 1)), mounted.Text());
            Sys.Close(directory);
            return null;
        }

        _levels.Add(new Level(name, directory));
        int oldest = _levels.Count - 1 - _maxOpen;
        if (oldest > 0)
        {
            _levels[oldest].CloseForNow();
        }

        return null;
    }

    // If this cannot be determined, reading it fails.
    private OtherFileSystem On(Descriptor directory) =>
        Sys.Stat(Current.Descriptor, out Statx above).Succeeded && Sys.Stat(directory, out Statx status).Succeeded
            ? OtherFileSystems.On(Current.Descriptor, above, directory, status)
            : OtherFileSystem.None;

    private BtrfsException? Leave()
    {
        Level left = Current;
        if (_levels.Count > 1 && !_levels[^2].Descriptor.IsOpen && !_levels[^2].Reopen(left.Descriptor))
        {
            // A directory that was moved leads elsewhere: closed directories above it cannot be found again.
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

    private BtrfsException Failure(SystemCall call, CallResult result, ReadOnlySpan<byte> name) =>
        BtrfsException.FromErrno(result.Error, call, PathOf(name));

    private string PathOf(ReadOnlySpan<byte> name)
    {
        IEnumerable<string> parts = _levels.Skip(1).Select(level => Utf8Z.ToText(level.Name.AsSpan(0, level.Name.Length - 1)));
        string path = string.Join('/', parts.Prepend(_path.TrimEnd('/')));
        return name.IsEmpty ? path : $"{path}/{Utf8Z.ToText(name)}";
    }

    private sealed class Level(byte[] name, Descriptor directory)
    {
        private Statx _status;

        /// <summary>The name in the parent directory, null-terminated.</summary>
        public byte[] Name { get; } = name;

        /// <summary>The directory; none while it is closed.</summary>
        public Descriptor Descriptor { get; private set; } = directory;

        public Stack<byte[]> Subdirectories { get; } = new();

        public bool Listed { get; set; }

        /// <summary>Where the listing continues if it had to be closed in between.</summary>
        public long Offset { get; set; }

        public void CloseForNow()
        {
            if (Descriptor.IsOpen)
            {
                _ = Sys.Stat(Descriptor, out _status);
                Close();
            }
        }

        /// <summary>Opens it again from a child.</summary>
        public bool Reopen(Descriptor child)
        {
            CallResult result = OpenDirectory.Above(child, _status, out Descriptor directory);
            Descriptor = directory;
            if (result.Succeeded && Sys.Seek(directory, Offset).Failed)
            {
                Close();
            }

            return Descriptor.IsOpen;
        }

        public void Close()
        {
            Sys.Close(Descriptor);
            Descriptor = Descriptor.None;
        }
    }
}
