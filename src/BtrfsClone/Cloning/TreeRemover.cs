using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Empties a directory of its own making, whatever is below it. Directories that hold something are moved up before
/// they are emptied, so that neither descriptors nor memory grow with depth or width, and no path gets too long.
/// </summary>
internal sealed unsafe class TreeRemover : IDisposable
{
    private const int BufferSize = 32 * 1024;
    private const uint PrivateMode = 0x1C0; // 0700
    private const InodeFlags Frozen = InodeFlags.Immutable | InodeFlags.AppendOnly;

    private readonly byte* _outer = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly byte* _inner = (byte*)NativeMemory.Alloc(BufferSize);
    private readonly byte* _path = (byte*)NativeMemory.Alloc(320);
    private int _top;
    private long _moved;

    private delegate int Removal(int directory, byte* name, byte type);

    /// <summary>Empties a directory. Returns 0, or the negative errno of what could not be removed.</summary>
    public static int Empty(int directory)
    {
        using var remover = new TreeRemover { _top = directory };
        return Empty(directory, remover._outer, remover.RemoveAtTop);
    }

    public void Dispose()
    {
        NativeMemory.Free(_outer);
        NativeMemory.Free(_inner);
        NativeMemory.Free(_path);
    }

    /// <summary>Goes through the directory until a whole pass finds nothing that it could remove.</summary>
    private static int Empty(int directory, byte* buffer, Removal remove)
    {
        int error;
        bool progress;
        do
        {
            error = 0;
            progress = false;
            _ = Sys.Seek(directory, 0);
            int size;
            while ((size = Sys.ReadDirectory(directory, buffer, BufferSize)) > 0)
            {
                foreach (DirectoryBatch.Entry entry in new DirectoryBatch(buffer, size))
                {
                    if (!entry.IsDotOrDotDot)
                    {
                        int result = remove(directory, entry.NamePointer, entry.Type);
                        progress |= result >= 0;
                        error = result < 0 ? result : error;
                    }
                }
            }

            error = size < 0 ? size : error;
        }
        while (progress);
        return error;
    }

    private int RemoveAtTop(int top, byte* name, byte type)
    {
        int result = RemoveFile(top, name, ref type);
        if (type != DirectoryEntry.TypeDirectory || (result = Sys.RemoveDirectory(top, name)) >= 0)
        {
            return result;
        }

        Unlock(top, name);
        int directory = Sys.OpenAt(
            top, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.NonBlock);
        if (directory < 0)
        {
            return directory;
        }

        result = Empty(directory, _inner, RemoveOrMoveUp);
        Sys.Close(directory);
        return result < 0 ? result : Sys.RemoveDirectory(top, name);
    }

    private int RemoveOrMoveUp(int directory, byte* name, byte type)
    {
        int result = RemoveFile(directory, name, ref type);
        if (type != DirectoryEntry.TypeDirectory || (result = Sys.RemoveDirectory(directory, name)) >= 0)
        {
            return result;
        }

        result = MoveUp(directory, name);
        return result is -Errno.EACCES or -Errno.EPERM && Unlock(directory, name) ? MoveUp(directory, name) : result;
    }

    /// <summary>Removes what is no directory; a type that the filesystem does not tell comes out with it.</summary>
    private int RemoveFile(int directory, byte* name, ref byte type)
    {
        if (type == DirectoryEntry.TypeDirectory)
        {
            return -Errno.EISDIR;
        }

        int result = Sys.Unlink(directory, name);
        if (result == -Errno.EISDIR)
        {
            type = DirectoryEntry.TypeDirectory;
        }

        return result == -Errno.EPERM && Unlock(directory, name) ? Sys.Unlink(directory, name) : result;
    }

    private int MoveUp(int directory, byte* name)
    {
        byte* newName = stackalloc byte[32];
        int result;
        do
        {
            Utf8Z.Write($"~{_moved++:x}", new Span<byte>(newName, 32));
            result = Sys.RenameNoReplace(directory, name, _top, newName);
        }
        while (result == -Errno.EEXIST);
        return result;
    }

    /// <summary>Takes from an entry what keeps its owner from removing it: inode flags, and a directory's mode.</summary>
    private bool Unlock(int directory, byte* name)
    {
        int held = Sys.OpenAt(directory, name, OpenFlags.PathOnly | OpenFlags.NoFollow);
        if (held < 0)
        {
            return false;
        }

        bool changed = false;
        byte* path = WorkerBuffers.ProcPath(_path, held, null);
        _ = Sys.Stat(held, out Statx status);
        if (status.FileType is Sys.ModeDirectory or Sys.ModeRegular)
        {
            int entry = Sys.OpenAt(Sys.WorkingDirectory, path, OpenFlags.ReadOnly | OpenFlags.NonBlock);
            if (entry >= 0)
            {
                changed = Sys.GetFlags(entry, out InodeFlags flags) >= 0 && (flags & Frozen) != 0 &&
                    Sys.SetLateFlags(entry, flags & ~Frozen) >= 0;
                Sys.Close(entry);
            }
        }

        changed |= status.FileType == Sys.ModeDirectory && (status.Mode & PrivateMode) != PrivateMode &&
            Sys.ChmodPath(path, PrivateMode) >= 0;
        Sys.Close(held);
        return changed;
    }
}
