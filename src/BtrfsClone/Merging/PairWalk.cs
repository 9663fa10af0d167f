using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>What a <see cref="PairWalk"/> meets.</summary>
internal interface IPairVisitor
{
    /// <summary>A regular file of the second tree.</summary>
    unsafe void VisitFile(PairLevel level, byte* name);

    /// <summary>Something that has no counterpart.</summary>
    void VisitSingle(string path, MergeSkip reason);

    void VisitFailure(BtrfsException failure);

    /// <summary>Is called between two steps; it may end the walk by an exception.</summary>
    void Pump();
}

/// <summary>
/// Walks two trees side by side, by relative path. Links are not followed. Neither memory nor descriptors grow with
/// the trees, but for a few words for each level.
/// </summary>
internal sealed unsafe class PairWalk : IDisposable
{
    private const int EntriesSize = 32 * 1024;

    private static readonly int s_directoryFlags = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow;

    private readonly IPairVisitor _visitor;
    private readonly byte* _entries = (byte*)NativeMemory.Alloc(EntriesSize);
    private readonly List<PairLevel> _stack = [];
    private readonly int _maxOpen = (int)Math.Clamp((Sys.DescriptorLimit - 64) / 4, 2, 256);
    private int _firstOpen;

    public PairWalk(IPairVisitor visitor) => _visitor = visitor;

    /// <summary>Walks all that lies below two open directories, and closes them.</summary>
    public void Run(PairLevel top)
    {
        _firstOpen = 0;
        _stack.Add(top);
        try
        {
            while (_stack.Count > 0)
            {
                PairLevel level = _stack[^1];
                _visitor.Pump();
                if (level.Subdirectories.TryDequeue(out byte[]? name))
                {
                    Enter(level, name);
                }
                else if (!level.Listed)
                {
                    ListPart(level);
                }
                else
                {
                    ListReference(level);
                    Leave(level);
                }
            }
        }
        finally
        {
            _stack.ForEach(level => level.Close());
            _stack.Clear();
        }
    }

    public void Dispose() => NativeMemory.Free(_entries);

    private void Enter(PairLevel parent, byte[] name)
    {
        ReadOnlySpan<byte> text = name.AsSpan(0, name.Length - 1);
        var level = new PairLevel(parent.PathOf(true, text), parent.PathOf(false, text));
        fixed (byte* zeroTerminated = name)
        {
            level.Reference = OpenFile.Open(parent.Reference, zeroTerminated, s_directoryFlags, out _);
            level.Directory = OpenFile.Open(parent.Directory, zeroTerminated, s_directoryFlags, out _);
        }

        if (level.Reference is -Errno.ENOENT or -Errno.ENOTDIR or -Errno.ELOOP)
        {
            _visitor.VisitSingle(
                level.Path, level.Reference == -Errno.ENOENT ? MergeSkip.OnlyInPath : MergeSkip.OtherKind);
        }
        else if (level.Reference < 0)
        {
            _visitor.VisitFailure(BtrfsException.FromErrno(-level.Reference, "openat", level.ReferencePath));
        }
        else if (level.Directory < 0)
        {
            _visitor.VisitFailure(BtrfsException.FromErrno(-level.Directory, "openat", level.Path));
        }
        else if (Sys.Stat(level.Reference, out level.ReferenceStatus) >= 0 &&
            Sys.Stat(level.Directory, out level.DirectoryStatus) >= 0)
        {
            Push(level);
            return;
        }

        level.Close();
    }

    private void Push(PairLevel level)
    {
        _stack.Add(level);
        if (_stack.Count - _firstOpen > _maxOpen)
        {
            // Its child leads back to it.
            _stack[_firstOpen++].Close();
        }
    }

    private void Leave(PairLevel level)
    {
        _stack.RemoveAt(_stack.Count - 1);
        if (_stack.Count > 0 && !_stack[^1].IsOpen && !Reopen(_stack[^1], level))
        {
            // What is above it was closed even earlier, and cannot be reached any more either.
            _visitor.VisitFailure(new BtrfsException(BtrfsError.ChangedMeanwhile, _stack[^1].Path));
            _stack.Clear();
        }

        level.Close();
    }

    private bool Reopen(PairLevel level, PairLevel child)
    {
        level.Reference = OpenParent(child.Reference, level.ReferenceStatus);
        level.Directory = OpenParent(child.Directory, level.DirectoryStatus);
        if (level.Reference < 0 || level.Directory < 0 ||
            (!level.Listed && Sys.Seek(level.Directory, level.ListOffset) < 0))
        {
            level.Close();
            return false;
        }

        _firstOpen--;
        return true;
    }

    /// <summary>Opens the directory above an open one, if it is the one that is expected there.</summary>
    private static int OpenParent(int child, in Statx expected)
    {
        fixed (byte* name = "..\0"u8)
        {
            int parent = OpenFile.Open(child, name, s_directoryFlags, out _);
            if (parent >= 0 && (Sys.Stat(parent, out Statx status) < 0 || !status.IsSameFileAs(expected)))
            {
                Sys.Close(parent);
                return -Errno.ESTALE;
            }

            return parent;
        }
    }

    /// <summary>Lists the next part of the second directory: files are visited, subdirectories wait.</summary>
    private void ListPart(PairLevel level)
    {
        int size = Read(level.Directory, level.Path);
        level.Listed = size <= 0;
        for (byte* at = _entries; at < _entries + size; at += ((DirectoryEntry*)at)->RecordLength)
        {
            var entry = (DirectoryEntry*)at;
            byte* name = at + DirectoryEntry.NameOffset;
            level.ListOffset = entry->NextOffset;
            switch (TypeOf(level.Directory, entry, name))
            {
                case DirectoryEntry.TypeDirectory when !IsDotOrDotDot(name):
                    level.Subdirectories.Enqueue(new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1).ToArray());
                    break;
                case DirectoryEntry.TypeRegular:
                    _visitor.VisitFile(level, name);
                    break;
            }
        }
    }

    /// <summary>Names what only the first directory has.</summary>
    private void ListReference(PairLevel level)
    {
        int size;
        while ((size = Read(level.Reference, level.ReferencePath)) > 0)
        {
            for (byte* at = _entries; at < _entries + size; at += ((DirectoryEntry*)at)->RecordLength)
            {
                byte* name = at + DirectoryEntry.NameOffset;
                if (Sys.StatEntry(level.Directory, name, out _) == -Errno.ENOENT)
                {
                    _visitor.VisitSingle(
                        level.PathOf(true, new ReadOnlySpan<byte>(name, Utf8Z.Length(name))), MergeSkip.OnlyInReference);
                }
            }

            _visitor.Pump();
        }
    }

    private int Read(int directory, string path)
    {
        int size = Sys.ReadDirectory(directory, _entries, EntriesSize);
        if (size < 0)
        {
            _visitor.VisitFailure(BtrfsException.FromErrno(-size, "getdents64", path));
        }

        return size;
    }

    private static byte TypeOf(int directory, DirectoryEntry* entry, byte* name)
    {
        if (entry->Type != DirectoryEntry.TypeUnknown)
        {
            return entry->Type;
        }

        // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h).
        return Sys.StatEntry(directory, name, out Statx status) < 0
            ? DirectoryEntry.TypeRegular
            : (byte)(status.FileType >> 12);
    }

    private static bool IsDotOrDotDot(byte* name) =>
        name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}
