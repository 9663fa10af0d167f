using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones ranges of files (FICLONERANGE), one after the other in the order of the calls. The two files of the last range stay open
/// for the next one; nothing else does. Must be used from one thread at a time. Requires no privileges except to read the source
/// and write to the destination.
/// </summary>
/// <example>
/// <code>
/// using var cloner = new RangeCloner();
/// cloner.Clone("/data/disk.img", "/data/head.img", offset: 0, length: 1 &lt;&lt; 20);
/// </code>
/// </example>
public sealed class RangeCloner : IDisposable
{
    private readonly long _greatestSize = (long)Math.Min(Sys.FileSizeLimit, long.MaxValue);
    private string _sourcePath = "";
    private string _destinationPath = "";
    private OwnedDescriptor? _source;
    private long _blockSize;
    private RangeDestination? _destination;

    /// <summary>
    /// Clones one range. The destination is never truncated. If it does not exist, it is created, and appears with the range in it.
    /// </summary>
    /// <param name="source">The file to clone from; a symbolic link is followed.</param>
    /// <param name="destination">The file to clone into, which may be the source; a symbolic link is followed.</param>
    /// <param name="offset">The start of the range in the source: a multiple of the block size.</param>
    /// <param name="length">
    /// The length: a multiple of the block size, or up to the end of the source, which is also the meaning of 0. A length that ends
    /// inside a block must also end the destination.
    /// </param>
    /// <param name="destinationOffset">The offset in the destination, a multiple of the block size; null means the source's offset.</param>
    /// <returns>The range that was cloned, with its length.</returns>
    /// <exception cref="BtrfsException">
    /// The range was rejected or could not be cloned. A destination that did not exist still does not.
    /// </exception>
    public RangeCloneResult Clone(
        string source, string destination, long offset = 0, long length = 0, long? destinationOffset = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(destinationOffset ?? 0, nameof(destinationOffset));
        try
        {
            OpenPair(source, destination);
            FileRange range = Clone(new FileRange(offset, length, destinationOffset ?? offset));
            return new RangeCloneResult
            {
                Path = destination,
                Source = source,
                Offset = range.Offset,
                Length = range.Length,
                DestinationOffset = range.DestinationOffset,
            };
        }
        catch (BtrfsException)
        {
            Close();
            throw;
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => Close();

    private Descriptor Source => _source?.Descriptor ?? Descriptor.None;

    private void OpenPair(string source, string destination)
    {
        bool isOpen = _destination is not null && source == _sourcePath && destination == _destinationPath &&
            Sys.Stat(Source, out Statx from).Succeeded && from.LinkCount > 0 &&
            Sys.Stat(_destination.Descriptor, out Statx to).Succeeded && to.LinkCount > 0;
        if (isOpen)
        {
            return;
        }

        Close();
        (_sourcePath, _destinationPath) = (source, destination);
        _source = OpenSource(source);
        CallResult result = Sys.BlockSize(Source, out _blockSize);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.Fstatfs, result).ToException(source);
        }

        _destination = new RangeDestination(destination);
    }

    private static OwnedDescriptor OpenSource(string path)
    {
        CallResult result = Sys.Stat(path, follow: true, out Statx status);
        if (result.Succeeded && status.FileType != Sys.ModeRegular)
        {
            // Checked before opening: opening a device can have side effects.
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        Descriptor source = Descriptor.None;
        if (result.Succeeded)
        {
            result = Sys.Open(
                path, OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal, out source);
        }

        return result.Failed
            ? throw Failure.Source(SystemCall.OpenAt, result).OnPath().ToException(path)
            : new OwnedDescriptor(source);
    }

    private FileRange Clone(in FileRange asked)
    {
        while (true)
        {
            bool isThere = _destination!.Descriptor.IsOpen || _destination.TryOpen();
            FileRange range = Check(asked, out uint permissions);
            if (!isThere)
            {
                _destination.Make(permissions);
            }

            CallResult result = range.Length > 0 ? CloneRange(range) : CallResult.Success;
            if (result.Failed)
            {
                throw WhyNot(asked, result);
            }

            if (isThere || _destination.TryPublish())
            {
                return range;
            }
        }
    }

    /// <summary>Rejects what the kernel would reject. A missing destination is treated as an empty one.</summary>
    private FileRange Check(in FileRange asked, out uint permissions)
    {
        CallResult result = Sys.Stat(Source, out Statx from);
        if (result.Failed)
        {
            throw Failure.Source(SystemCall.Statx, result).ToException(_sourcePath);
        }

        Statx to = default;
        result = _destination!.Descriptor.IsOpen ? Sys.Stat(_destination.Descriptor, out to) : CallResult.Success;
        if (result.Failed)
        {
            throw Failure.Destination(SystemCall.Statx, result).ToException(_destinationPath);
        }

        permissions = from.Permissions & 0x1FF;
        FileRange range = asked.Within((long)from.Size, _blockSize, _sourcePath);
        if (range.DestinationOffset > _greatestSize - range.Length)
        {
            throw new BtrfsException(BtrfsError.FileTooLarge, _destinationPath);
        }

        if (range.Length > 0)
        {
            range.RequireAligned((long)from.Size, (long)to.Size, _blockSize, _sourcePath);
        }

        return from.IsSameFileAs(to) && range.Overlaps(_blockSize)
            ? throw new BtrfsException(BtrfsError.OverlappingRanges, _destinationPath)
            : range;
    }

    /// <summary>Clones the range, also into an empty file whose NOCOW flag has to be changed for it.</summary>
    private CallResult CloneRange(in FileRange range)
    {
        Descriptor destination = _destination!.Descriptor;
        var argument = new FileCloneRange
        {
            SourceOffset = (ulong)range.Offset,
            SourceLength = (ulong)range.Length,
            DestinationOffset = (ulong)range.DestinationOffset,
        };
        CallResult result = Sys.CloneRange(Source, destination, argument);
        if (result.Is(Errno.EINVAL) && NoCowSwitch.TryTurn(destination, out NoCowSwitch turned))
        {
            result = Sys.CloneRange(Source, destination, argument);
            if (result.Failed)
            {
                turned.Undo();
            }
        }

        return result;
    }

    private BtrfsException WhyNot(in FileRange asked, CallResult result)
    {
        Failure failure = Failure.Between(SystemCall.FiCloneRange, result);
        if (result.Is(Errno.EINVAL))
        {
            // The file's size may have changed in the meantime.
            Check(asked, out _);
            ErrorMeaning meaning = ChecksumMismatch.Describe(Source, _destination!.Descriptor);
            failure = failure with { AtSource = false, Meaning = meaning };
        }
        else if (result.Is(Errno.ETXTBSY))
        {
            failure = failure with { AtSource = Sys.IsSwapFile(Source) };
        }

        return failure.ToException(failure.AtSource ? _sourcePath : _destinationPath);
    }

    private void Close()
    {
        _source?.Dispose();
        _source = null;
        _destination?.Dispose();
        _destination = null;
    }
}
