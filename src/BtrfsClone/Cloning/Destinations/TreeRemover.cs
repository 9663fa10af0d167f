using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Empties a directory owned by the caller, with everything below it, in place: this also works on a full filesystem, where there
/// is space to remove but not to rename. It descends into one directory at a time and returns through <c>..</c>, so it has only one
/// of them open, and stores a few numbers per level.
/// </summary>
internal sealed unsafe class TreeRemover : IDisposable
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock;

    // After returning to a directory, this many bytes of it are listed again.
    private const int BufferSize = 4096;

    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly Descriptor _top;
    private readonly ulong _topInode;
    private readonly ulong _device;
    private readonly bool _onlyLooks;
    private readonly Stack<Level> _above = [];
    private Descriptor _current;
    private ulong _inode;
    private Failure _failure;
    private bool _progress;

    private TreeRemover(Descriptor top, in Statx status, bool onlyLooks = false)
    {
        _onlyLooks = onlyLooks;
        _top = _current = top;
        _topInode = _inode = status.Inode;
        _device = status.Device;
    }

    /// <summary>Empties a directory. If an entry cannot be removed, the others still are; the first failure is returned.</summary>
    public static Failure Empty(HeldDirectory directory)
    {
        CallResult result = directory.Stat(out Statx status);
        if (result.Failed)
        {
            return Failure.Destination(SystemCall.Statx, result);
        }

        using var remover = new TreeRemover(directory.Descriptor, status);
        do
        {
            remover._failure = default;
            remover._progress = false;
            remover.Pass();
        }
        while (remover._failure.Failed && remover._progress);
        return remover._failure;
    }

    /// <summary>
    /// Whether an unprivileged caller could empty a snapshot of a subvolume: fails if there is a directory below it that the caller
    /// does not own. Removes nothing, and does not change access times.
    /// </summary>
    public static Failure Look(HeldDirectory subvolume)
    {
        Statx status = default;
        fixed (byte* self = ".\0"u8)
        {
            CallResult result = Sys.OpenQuietlyAt(subvolume.Descriptor, self, s_flags, out Descriptor top, out _);
            using DescriptorScope closing = new(top);
            result = result.Failed ? result : Sys.Stat(top, out status);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.OpenAt, result);
            }

            using var remover = new TreeRemover(top, status, onlyLooks: true);
            remover.Pass();
            return remover._failure;
        }
    }

    public void Dispose() => NativeMemory.Free(_buffer);

    /// <summary>Makes one pass over everything below.</summary>
    private void Pass()
    {
        var position = new Position(Offset: 0, Done: 0);
        do
        {
            while (GoOn(ref position))
            {
            }
        }
        while (_above.Count > 0 && GoUp(out position));
    }

    /// <summary>
    /// Removes the entries of the current directory from a position on. True if it has descended into another directory and is to
    /// continue there; false at the end.
    /// </summary>
    private bool GoOn(ref Position position)
    {
        var listing = new DirectoryListing(_current, _buffer, BufferSize, position.Offset);
        long before = position.Offset;
        while (listing.Next(out DirectoryBatch.Entry entry))
        {
            CallResult result = !_onlyLooks ? Remove(entry)
                : entry.Type == DirectoryEntry.TypeDirectory && entry.Inode != position.Done ? Errno.ENOTEMPTY
                : CallResult.Success;
            bool mayHold = entry.Type == DirectoryEntry.TypeDirectory && entry.Inode != position.Done &&
                result.Error is Errno.ENOTEMPTY or Errno.EEXIST or Errno.EPERM or Errno.EACCES;
            if (mayHold && GoDown(entry, new Position(before, entry.Inode)))
            {
                position = new Position(Offset: 0, Done: 0);
                return true;
            }

            if (!mayHold)
            {
                Note(SystemCall.UnlinkAt, result);
            }

            _progress |= !result.Failed;
            before = entry.NextOffset;
        }

        Note(listing.Call, listing.Result);
        return false;
    }

    /// <summary>Removes an entry, unless it is a directory that is not empty.</summary>
    private CallResult Remove(DirectoryBatch.Entry entry)
    {
        if (entry.Type == DirectoryEntry.TypeDirectory)
        {
            return Sys.RemoveDirectory(_current, entry.NamePointer);
        }

        CallResult result = Sys.Unlink(_current, entry.NamePointer);
        if (result.Is(Errno.EPERM) && entry.Type == DirectoryEntry.TypeRegular &&
            UnprotectedEntry.TryUnprotect(_current, entry.NamePointer, out UnprotectedEntry unprotected))
        {
            result = Sys.Unlink(_current, entry.NamePointer);
            unprotected.Release();
        }

        return result;
    }

    /// <summary>
    /// Opens a subdirectory of the current directory, and removes what prevents its owner from emptying it: inode flags, and its
    /// mode.
    /// </summary>
    private bool GoDown(DirectoryBatch.Entry entry, Position position)
    {
        CallResult result = Open(entry.NamePointer, out Descriptor directory);
        if (!_onlyLooks && result.Is(Errno.EACCES) && MakeReadable(entry.NamePointer))
        {
            result = Sys.OpenAt(_current, entry.NamePointer, s_flags, out directory);
        }

        if (result.Failed)
        {
            Note(SystemCall.OpenAt, result);
            return false;
        }

        result = Sys.Stat(directory, out Statx status);
        if (result.Failed || status.Device != _device)
        {
            // Mounted filesystems are not ours to empty. (In a snapshot, mounts and nested subvolumes do not exist.)
            Note(SystemCall.Statx, result.Failed ? result : _onlyLooks ? CallResult.Success : Errno.EXDEV);
            _ = Sys.Reject(ref directory, result);
            return false;
        }

        if (!_onlyLooks)
        {
            OpenUp(directory, status);
        }
        else if (status.Uid != Sys.EffectiveUid)
        {
            Note(SystemCall.UnlinkAt, Errno.EACCES);
            Sys.Close(directory);
            return false;
        }

        _above.Push(new Level(_inode, position));
        Enter(directory, status.Inode);
        return true;
    }

    /// <summary>
    /// Returns to the parent directory. It must be the one that it came from: if the directory was moved elsewhere, its new parent
    /// must not be emptied.
    /// </summary>
    private bool GoUp(out Position position)
    {
        (ulong inode, position) = _above.Pop();
        if (_above.Count == 0)
        {
            Enter(_top, inode);
            return true;
        }

        fixed (byte* name = "..\0"u8)
        {
            CallResult result = Open(name, out Descriptor above);
            SystemCall call = SystemCall.OpenAt;
            if (!result.Failed)
            {
                call = SystemCall.Statx;
                result = Sys.Stat(above, out Statx status);
                result = result.Failed || (status.Inode == inode && status.Device == _device) ? result : Errno.ESTALE;
            }

            if (result.Failed)
            {
                Note(call, Sys.Reject(ref above, result));
                _above.Clear();
                Enter(_top, _topInode);
                return false;
            }

            Enter(above, inode);
            return true;
        }
    }

    private CallResult Open(byte* name, out Descriptor directory) => _onlyLooks
        ? Sys.OpenQuietlyAt(_current, name, s_flags, out directory, out _)
        : Sys.OpenAt(_current, name, s_flags, out directory);

    /// <summary>If this fails, a later call fails and is reported.</summary>
    private static void OpenUp(Descriptor directory, in Statx status)
    {
        _ = UnprotectedEntry.TryUnprotect(directory, out _);
        if ((status.Mode & Sys.ModeOwner) != Sys.ModeOwner)
        {
            _ = Sys.Chmod(directory, Sys.ModeOwner);
        }
    }

    private bool MakeReadable(byte* name)
    {
        CallResult result = Sys.OpenAt(
            _current, name, OpenFlags.PathOnly | OpenFlags.Directory | OpenFlags.NoFollow, out Descriptor held);
        using DescriptorScope closing = new(held);
        return result.Succeeded && Sys.ChmodHeld(held, Sys.ModeOwner).Succeeded;
    }

    private void Note(SystemCall call, CallResult result)
    {
        if (result.Failed && !_failure.Failed)
        {
            _failure = Failure.Destination(call, result);
        }
    }

    private void Enter(Descriptor directory, ulong inode)
    {
        if (_current != _top)
        {
            Sys.Close(_current);
        }

        _current = directory;
        _inode = inode;
    }

    /// <summary>Where the listing of a directory continues.</summary>
    /// <param name="Offset">The position before the entry that it descended into.</param>
    /// <param name="Done">The inode number of that entry, as listed: it is not descended into again.</param>
    private readonly record struct Position(long Offset, ulong Done);

    /// <summary>A parent of the current directory: its inode number, and its position.</summary>
    private readonly record struct Level(ulong Inode, Position Position);
}
