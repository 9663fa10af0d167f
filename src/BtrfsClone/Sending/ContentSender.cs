using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>Puts a file's content into the stream, range by range.</summary>
internal sealed class ContentSender(SendContext context)
{
    private readonly byte[] _encoded = GC.AllocateUninitializedArray<byte>(EncodedPiece.Largest);
    private Descriptor _file;
    private SendPath _path = null!;

    /// <summary>The size that the file has in the stream, so far.</summary>
    public long Size { get; private set; }

    /// <summary>Whether the file ended before it should: it has got smaller.</summary>
    public bool HasShrunk { get; private set; }

    /// <summary>Begins with a file.</summary>
    public void Start(Descriptor file, SendPath path)
    {
        (_file, _path, Size, HasShrunk) = (file, path, 0, false);
    }

    /// <summary>Sends bytes as the file has them now.</summary>
    public Failure SendBytes(long offset, long length)
    {
        CommandWriter writer = context.Stream.Writer;
        for (long end = offset + length; offset < end && !HasShrunk;)
        {
            context.GoOn();
            Span<byte> data = context.Stream.Write(_path.Bytes, offset, (int)Math.Min(end - offset, writer.MostData));
            CallResult read = Sys.ReadAt(_file, data, offset);
            HasShrunk = read.Succeeded && read.Value < data.Length;
            if (read.Value == 0)
            {
                writer.Abandon();
                return read.Failed ? Failure.Source(SystemCall.Pread, read) : default;
            }

            writer.CutData((int)read.Value);
            writer.End();
            offset += read.Value;
            Size = Math.Max(Size, offset);
        }

        return default;
    }

    /// <summary>Sends a part of a compressed extent as it is stored. False where it has to go as bytes.</summary>
    public bool TrySendEncoded(SendSource source, in FileExtent part, long length)
    {
        context.GoOn();
        EncodedPiece read = new() { Offset = part.Offset };
        CallResult result = Sys.ReadEncoded(_file, _encoded, ref read);
        if (result.Error is Errno.EPERM or Errno.EACCES or Errno.ENOTTY or Errno.EOPNOTSUPP or Errno.ENOSYS)
        {
            source.ForgoEncoding();
        }

        // It may be another extent by now.
        bool isMeant = result.Succeeded && read.Compression != 0 && read.UnencodedLength == part.RawRamLength &&
            read.UnencodedOffset == part.RawExtentOffset && result.Value == part.RawDiskLength && read.Length >= length;
        if (isMeant)
        {
            (read.Offset, read.Length) = (part.Offset, length);
            context.Stream.WriteEncoded(_path.Bytes, read, _encoded.AsSpan(0, (int)result.Value));
            context.Counters.EncodedLength += length;
            Size = Math.Max(Size, part.Offset + length);
        }

        return isMeant;
    }

    /// <summary>Sends that a range within the file is preallocated.</summary>
    public void SendReserved(long offset, long length)
    {
        if (context.IsVersion2)
        {
            context.Stream.Fallocate(_path.Bytes, offset, length, keepsSize: false);
            Size = Math.Max(Size, offset + length);
        }
        else
        {
            context.Losses.Add(MetadataKind.Preallocation, "fallocate");
        }
    }

    /// <summary>Sends that a range is shared with what is in the stream.</summary>
    public void SendClone(long offset, long length, int file, long sourceOffset)
    {
        context.GoOn();
        SentFiles sent = context.Sent;
        Guid subvolume = sent.Subvolumes[sent[file].Subvolume].Uuid;
        context.Stream.Clone(_path.Bytes, offset, length, subvolume, sent.PathOf(file), sourceOffset);
        Size = Math.Max(Size, offset + length);
    }

    /// <summary>
    /// Sends what is preallocated beyond the file's end, before anything else: later, btrfs would write the block that the file
    /// ends in.
    /// </summary>
    public void SendBeyond(List<(long Offset, long Length)> beyond)
    {
        foreach ((long offset, long length) in beyond)
        {
            if (context.IsVersion2)
            {
                context.Stream.Fallocate(_path.Bytes, offset, length, keepsSize: true);
            }
            else
            {
                context.Losses.Add(MetadataKind.Preallocation, "fallocate");
            }
        }
    }

    /// <summary>Sends the file's size, unless it has that: setting one again frees what is beyond it.</summary>
    public void Finish(long size)
    {
        if (size != Size)
        {
            context.Stream.Truncate(_path.Bytes, size);
            Size = size;
        }
    }
}
