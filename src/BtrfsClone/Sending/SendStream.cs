using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>
/// The commands of a stream, each as a method. Paths are relative to the subvolume, without a leading slash; its root has the empty
/// path.
/// </summary>
internal sealed class SendStream(CommandWriter writer)
{
    // FALLOC_FL_KEEP_SIZE (linux/falloc.h).
    private const uint KeepSize = 1;

    // The receiver finds a subvolume by its UUID only, which is unique.
    private const long Transaction = 1;

    public CommandWriter Writer => writer;

    public void Subvolume(ReadOnlySpan<byte> name, Guid uuid)
    {
        Begin(StreamCommand.Subvolume, name);
        Add(StreamAttribute.Uuid, uuid);
        writer.Add(StreamAttribute.Transaction, Transaction);
        writer.End();
    }

    /// <summary>Creates a file, a directory, a FIFO or a socket.</summary>
    public void Make(StreamCommand command, ReadOnlySpan<byte> path, ulong inode)
    {
        Begin(command, path);
        writer.Add(StreamAttribute.Inode, (long)inode);
        writer.End();
    }

    public void MakeNode(ReadOnlySpan<byte> path, in Statx status)
    {
        Begin(StreamCommand.MakeNode, path);
        writer.Add(StreamAttribute.Inode, (long)status.Inode);
        writer.Add(StreamAttribute.Mode, (long)status.Mode);
        writer.Add(
            StreamAttribute.Device, (long)Sys.DeviceNumber(status.SpecialDeviceMajor, status.SpecialDeviceMinor));
        writer.End();
    }

    public void MakeSymlink(ReadOnlySpan<byte> path, ulong inode, ReadOnlySpan<byte> target)
    {
        Begin(StreamCommand.MakeSymlink, path);
        writer.Add(StreamAttribute.Inode, (long)inode);
        writer.Add(StreamAttribute.LinkTarget, target);
        writer.End();
    }

    /// <summary>Gives a file another name.</summary>
    public void Link(ReadOnlySpan<byte> path, ReadOnlySpan<byte> existing)
    {
        Begin(StreamCommand.Link, path);
        writer.Add(StreamAttribute.LinkTarget, existing);
        writer.End();
    }

    public void Unlink(ReadOnlySpan<byte> path)
    {
        Begin(StreamCommand.Unlink, path);
        writer.End();
    }

    /// <summary>Starts a write to a file: its data goes to the returned buffer, and then the writer ends the command.</summary>
    public Span<byte> Write(ReadOnlySpan<byte> path, long offset, int length)
    {
        Begin(StreamCommand.Write, path);
        writer.Add(StreamAttribute.Offset, offset);
        return writer.AddData(length);
    }

    /// <summary>Writes a part of an extent in encoded form.</summary>
    public void WriteEncoded(ReadOnlySpan<byte> path, in EncodedPiece piece, ReadOnlySpan<byte> bytes)
    {
        Begin(StreamCommand.EncodedWrite, path);
        writer.Add(StreamAttribute.Offset, piece.Offset);
        writer.Add(StreamAttribute.UnencodedFileLength, piece.Length);
        writer.Add(StreamAttribute.UnencodedLength, piece.UnencodedLength);
        writer.Add(StreamAttribute.UnencodedOffset, piece.UnencodedOffset);
        writer.Add(StreamAttribute.Compression, piece.Compression);
        bytes.CopyTo(writer.AddData(bytes.Length));
        writer.End();
    }

    /// <summary>Makes a file share data of another one, or of itself.</summary>
    public void Clone(
        ReadOnlySpan<byte> path, long offset, long length, Guid subvolume, ReadOnlySpan<byte> sourcePath, long sourceOffset)
    {
        Begin(StreamCommand.Clone, path);
        writer.Add(StreamAttribute.Offset, offset);
        writer.Add(StreamAttribute.CloneLength, length);
        Add(StreamAttribute.CloneUuid, subvolume);
        writer.Add(StreamAttribute.CloneTransaction, Transaction);
        writer.Add(StreamAttribute.ClonePath, sourcePath);
        writer.Add(StreamAttribute.CloneOffset, sourceOffset);
        writer.End();
    }

    /// <summary>Preallocates space; requires version 2.</summary>
    public void Fallocate(ReadOnlySpan<byte> path, long offset, long length, bool keepsSize)
    {
        Begin(StreamCommand.Fallocate, path);
        writer.Add(StreamAttribute.FallocateMode, keepsSize ? KeepSize : 0);
        writer.Add(StreamAttribute.Offset, offset);
        writer.Add(StreamAttribute.Size, length);
        writer.End();
    }

    public void Truncate(ReadOnlySpan<byte> path, long size)
    {
        Begin(StreamCommand.Truncate, path);
        writer.Add(StreamAttribute.Size, size);
        writer.End();
    }

    public void Chown(ReadOnlySpan<byte> path, uint uid, uint gid)
    {
        Begin(StreamCommand.Chown, path);
        writer.Add(StreamAttribute.Uid, (long)uid);
        writer.Add(StreamAttribute.Gid, (long)gid);
        writer.End();
    }

    public void SetXattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Begin(StreamCommand.SetXattr, path);
        writer.Add(StreamAttribute.XattrName, name);
        writer.Add(StreamAttribute.XattrValue, value);
        writer.End();
    }

    public void Chmod(ReadOnlySpan<byte> path, uint mode)
    {
        Begin(StreamCommand.Chmod, path);
        writer.Add(StreamAttribute.Mode, (long)mode);
        writer.End();
    }

    /// <summary>BTRFS_INODE_* flags; requires version 2.</summary>
    public void SetFlags(ReadOnlySpan<byte> path, ulong flags)
    {
        Begin(StreamCommand.FileAttributes, path);
        writer.Add(StreamAttribute.FileAttributes, (long)flags);
        writer.End();
    }

    public void SetTimes(ReadOnlySpan<byte> path, in Statx status)
    {
        Begin(StreamCommand.SetTimes, path);
        writer.Add(StreamAttribute.AccessTime, status.AccessTime);
        writer.Add(StreamAttribute.ModifyTime, status.ModifyTime);
        writer.Add(StreamAttribute.ChangeTime, status.ChangeTime);
        writer.End();
    }

    public void End()
    {
        writer.Begin(StreamCommand.End);
        writer.End();
    }

    private void Begin(StreamCommand command, ReadOnlySpan<byte> path)
    {
        writer.Begin(command);
        writer.Add(StreamAttribute.Path, path);
    }

    private void Add(StreamAttribute attribute, Guid uuid)
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        writer.Add(attribute, bytes);
    }
}
