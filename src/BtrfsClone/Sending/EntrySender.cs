using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>Sends entries that are not directories. An entry that fails is not in the stream.</summary>
internal sealed unsafe class EntrySender(SendContext context, WorkerBuffers buffers)
{
    private static readonly int s_flags =
        OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;

    private readonly FileSender _files = new(context);
    private readonly MetadataSender _metadata = new(context, buffers);
    private readonly SentLinks _links = new();

    /// <summary>Starts another subvolume.</summary>
    public void Start() => _links.Clear();

    /// <summary>Sends an entry.</summary>
    /// <param name="directory">The directory that contains it.</param>
    /// <param name="name">Its name there.</param>
    /// <param name="path">Its path in the stream.</param>
    public void Send(Descriptor directory, byte* name, SendPath path)
    {
        context.GoOn();
        CallResult result = Sys.StatEntry(directory, name, out Statx status);
        if (result.Failed)
        {
            context.Fail(Failure.Source(SystemCall.Statx, result), path.Text);
            return;
        }

        if (_links.TryMeet(status, out byte[] first))
        {
            context.Stream.Link(path.Bytes, first);
            context.Counters.HardLinks++;
            return;
        }

        bool isHeldBack = false;
        Failure failure = status.FileType switch
        {
            Sys.ModeRegular => SendFile(directory, name, path, ref status, out isHeldBack),
            Sys.ModeDirectory => Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true),
            _ => SendOther(directory, name, path, status, out isHeldBack),
        };
        if (failure.Failed)
        {
            context.Fail(failure, path.Text);
            return;
        }

        _links.Add(status, path.Bytes);
        if (isHeldBack)
        {
            context.Fail(Failure.Refused(ErrorMeaning.XattrTooLargeToReceive, atSource: true), path.Text);
        }
    }

    /// <summary>Sends a directory's metadata, after all its entries.</summary>
    public void SendDirectory(Descriptor directory, in Statx status, SendPath path)
    {
        CallResult result = Sys.GetFlags(directory, out InodeFlags flags);
        bool isHeldBack = false;
        Failure failure = result.Failed
            ? Failure.Source(SystemCall.GetFlags, result)
            : _metadata.Send(path.Bytes, new XattrHolder(directory), status, flags, out isHeldBack);
        failure = isHeldBack ? Failure.Refused(ErrorMeaning.XattrTooLargeToReceive, atSource: true) : failure;
        if (failure.Failed)
        {
            context.Fail(failure, path.Text);
        }
    }

    private Failure SendFile(Descriptor directory, byte* name, SendPath path, ref Statx status, out bool isHeldBack)
    {
        isHeldBack = false;
        Statx listed = status;
        CallResult result = Sys.OpenQuietlyAt(directory, name, s_flags, out Descriptor file, out _);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.OpenAt, result);
        }

        using var closing = new DescriptorScope(file);
        result = Sys.Stat(file, out status);
        if (result.Failed || !status.IsSameFileAs(listed) || status.FileType != Sys.ModeRegular)
        {
            return result.Failed
                ? Failure.Source(SystemCall.Statx, result)
                : Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true);
        }

        result = Sys.GetFlags(file, out InodeFlags flags);
        if (result.Failed)
        {
            return Failure.Source(SystemCall.GetFlags, result);
        }

        SendSource source = context.Sources.Of(file, status);
        context.Stream.Make(StreamCommand.MakeFile, path.Bytes, status.Inode);
        var holder = new XattrHolder(file);
        Failure failure = default;
        if (flags.HasFlag(InodeFlags.Compress) && !(context.IsVersion2 && source.MayEncode))
        {
            // Data that is sent uncompressed is compressed again by the receiver.
            failure = _metadata.SendCompression(path.Bytes, holder);
        }

        if (!failure.Failed)
        {
            failure = _files.Send(source, file, path, ref status);
            failure = failure.Failed ? failure : _metadata.Send(path.Bytes, holder, status, flags, out isHeldBack);
            if (failure.Failed)
            {
                _files.Withdraw();
            }
        }

        if (failure.Failed)
        {
            context.Stream.Unlink(path.Bytes);
            return failure;
        }

        context.Counters.Files++;
        context.Counters.Length += (long)status.Size;
        if (_files.HasShrunk)
        {
            context.Fail(Failure.Refused(ErrorMeaning.Shrunk, atSource: true), path.Text);
        }

        return default;
    }

    private Failure SendOther(Descriptor directory, byte* name, SendPath path, in Statx status, out bool isHeldBack)
    {
        isHeldBack = false;
        if (status.FileType == Sys.ModeSymlink)
        {
            CallResult length = Sys.ReadLink(directory, name, buffers.LinkTarget, Sys.PathMax);
            if (length.Value == 0)
            {
                return Failure.Source(SystemCall.ReadlinkAt, length.Failed ? length : Errno.ENOENT);
            }

            context.Stream.MakeSymlink(path.Bytes, status.Inode, new ReadOnlySpan<byte>(buffers.LinkTarget, (int)length.Value));
        }
        else if (status.FileType is Sys.ModeFifo or Sys.ModeSocket)
        {
            StreamCommand make = status.FileType == Sys.ModeFifo ? StreamCommand.MakeFifo : StreamCommand.MakeSocket;
            context.Stream.Make(make, path.Bytes, status.Inode);
        }
        else
        {
            context.Stream.MakeNode(path.Bytes, status);
        }

        var holder = new XattrHolder(WorkerBuffers.ProcPath(buffers.SourcePath, directory, name));
        Failure failure = _metadata.Send(path.Bytes, holder, status, InodeFlags.None, out isHeldBack);
        if (failure.Failed)
        {
            context.Stream.Unlink(path.Bytes);
        }
        else if (status.FileType == Sys.ModeSymlink)
        {
            context.Counters.SymbolicLinks++;
        }
        else
        {
            context.Counters.SpecialFiles++;
        }

        return failure;
    }
}
