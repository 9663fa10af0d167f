using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>Writes a file's content to the stream, range by range.</summary>
internal sealed class ContentSender(SendContext context)
{
    private readonly byte[] _encoded = GC.AllocateUninitializedArray<byte>(EncodedPiece.Largest);
    private Descriptor _file;
    private SendPath _path = null!;

    /// <summary>The current size of the file in the stream.</summary>
    public long Size { get; private set; }

    /// <summary>Whether the file ended too early: it was truncated.</summary>
    public bool HasShrunk { get; private set; }

    /// <summary>Starts a file.</summary>
    public void Start(Descriptor file, SendPath path)
    {
        (_file, _path, Size, HasShrunk) = (file, path, 0, false);
    }

    /// <summary>Sends the current bytes of the file.</summary>
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

    /// <summary>Sends a part of a compressed extent in encoded form. False if it has to be sent as bytes.</summary>
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

    /// <summary>Sends that a range is shared with data in the stream.</summary>
    public void SendClone(long offset, long length, int file, long sourceOffset)
    {
        context.GoOn();
        SentFiles sent = context.Sent;
        Guid subvolume = sent.Subvolumes[sent[file].Subvolume].Uuid;
        context.Stream.Clone(_path.Bytes, offset, length, subvolume, sent.PathOf(file), sourceOffset);
        Size = Math.Max(Size, offset + length);
    }

    /// <summary>
    /// Sends the space preallocated beyond the file's end, before anything else: later, btrfs would rewrite the last block of the
    /// file.
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

    /// <summary>Sends the file's size, unless it already has it: setting the same size frees the space beyond it.</summary>
    public void Finish(long size)
    {
        if (size != Size)
        {
            context.Stream.Truncate(_path.Bytes, size);
            Size = size;
        }
    }
}
