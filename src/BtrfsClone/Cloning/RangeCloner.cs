using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones ranges of files (FICLONERANGE), one after the other in the order of the calls. The two files of the last
/// range stay open for the next one; nothing else does. It is used from one thread at a time, and needs no privileges
/// beyond reading the source and writing to the destination.
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
    private int _source = -1;
    private long _blockSize;
    private RangeDestination? _destination;

    /// <summary>Clones one range. The destination is made when it is missing, and is never truncated.</summary>
    /// <param name="source">The file to clone from; a symbolic link is followed.</param>
    /// <param name="destination">The file to clone into, which may be the source; a symbolic link is followed.</param>
    /// <param name="offset">Where the range begins in the source: a multiple of the block size.</param>
    /// <param name="length">
    /// How long it is: a multiple of the block size, or up to the end of the source, for which 0 may be given. A length
    /// that ends inside a block has to end the destination too.
    /// </param>
    /// <param name="destinationOffset">Where it goes, a multiple of the block size; the source's offset if null.</param>
    /// <returns>What was cloned, with its length.</returns>
    /// <exception cref="BtrfsException">
    /// The range was refused or could not be cloned. A destination that was made for it is gone again.
    /// </exception>
    public RangeCloneResult Clone(
        string source, string destination, long offset = 0, long length = 0, long? destinationOffset = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfNegative(destinationOffset ?? 0, nameof(destinationOffset));
        OpenPair(source, destination);
        try
        {
            var asked = new FileRange(offset, length, destinationOffset ?? offset);
            FileRange range = Check(asked, source, destination);
            if (range.Length > 0)
            {
                Clone(range);
            }

            _destination!.Keep();
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
            // A file that was made for this range is not there any more: the next one begins anew.
            _destination!.Undo();
            Close();
            throw;
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => Close();

    private void OpenPair(string source, string destination)
    {
        bool isOpen = _destination is not null && source == _sourcePath && destination == _destinationPath &&
            Sys.Stat(_source, out Statx from) == 0 && from.LinkCount > 0 &&
            Sys.Stat(_destination.Descriptor, out Statx to) == 0 && to.LinkCount > 0;
        if (isOpen)
        {
            return;
        }

        Close();
        (_sourcePath, _destinationPath) = (source, destination);
        _source = OpenSource(source, out Statx status);
        try
        {
            int result = Sys.BlockSize(_source, out _blockSize);
            if (result < 0)
            {
                throw Fault.Source("fstatfs", result).ToException(source);
            }

            _destination = RangeDestination.Open(destination, _source, status);
        }
        catch
        {
            Close();
            throw;
        }
    }

    private static int OpenSource(string path, out Statx status)
    {
        int result = Sys.Stat(path, follow: true, out status);
        if (result >= 0 && status.FileType != Sys.ModeRegular)
        {
            // Before it is opened: opening a device can do something by itself.
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        int source = result < 0
            ? result
            : Sys.Open(path, OpenFlags.ReadOnly | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal);
        if (source < 0)
        {
            throw Fault.Source("openat", source).ToException(path);
        }

        return source;
    }

    private FileRange Check(FileRange asked, string source, string destination)
    {
        Sys.Stat(_source, out Statx from);
        Sys.Stat(_destination!.Descriptor, out Statx to);
        FileRange range = asked.Within((long)from.Size, _blockSize, source);
        if (range.DestinationOffset > _greatestSize - range.Length)
        {
            throw new BtrfsException(BtrfsError.FileTooLarge, destination);
        }

        if (range.Length > 0)
        {
            range.RequireAligned((long)from.Size, (long)to.Size, _blockSize, source);
        }

        return from.IsSameFileAs(to) && range.Overlaps(_blockSize)
            ? throw new BtrfsException(BtrfsError.OverlappingRanges, destination)
            : range;
    }

    private void Clone(in FileRange range)
    {
        var argument = new FileCloneRange
        {
            SourceDescriptor = _source,
            SourceOffset = (ulong)range.Offset,
            SourceLength = (ulong)range.Length,
            DestinationOffset = (ulong)range.DestinationOffset,
        };
        int result = Sys.CloneRange(_destination!.Descriptor, argument);
        if (result >= 0)
        {
            return;
        }

        throw result switch
        {
            // All that is wrong with the range itself was refused before.
            -Errno.EINVAL => new BtrfsException(
                BtrfsError.NoCowMismatch, _destinationPath, Errno.EINVAL, "FICLONERANGE"),
            -Errno.EXDEV or -Errno.EOPNOTSUPP or -Errno.ENOTTY or -Errno.ETXTBSY =>
                Fault.Source("FICLONERANGE", result).ToException(_sourcePath),
            _ => Fault.Destination("FICLONERANGE", result).ToException(_destinationPath),
        };
    }

    private void Close()
    {
        if (_source >= 0)
        {
            Sys.Close(_source);
            _source = -1;
        }

        _destination?.Close();
        _destination = null;
    }
}
