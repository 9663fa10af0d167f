using BtrfsClone.Cloning;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// An unnamed file to which the replacement of extents is written. No one else can open it, and it is deleted with the process: its
/// extents then belong only to the files that share them.
/// </summary>
internal sealed unsafe class ReplacementFile : IDisposable
{
    private readonly Descriptor _file;
    private readonly string _path;
    private readonly List<(long Offset, long Place, long DiskLength)> _extents = [];

    private ReplacementFile(Descriptor file, string path) => (_file, _path) = (file, path);

    public Descriptor Descriptor => _file;

    /// <summary>Where the next replacement may start.</summary>
    public long Next { get; set; }

    /// <summary>Creates an empty file.</summary>
    /// <param name="directory">A directory on the filesystem.</param>
    /// <param name="path">The path to use in error messages.</param>
    /// <param name="compression">How it is to be compressed.</param>
    /// <exception cref="BtrfsException">It cannot be created.</exception>
    public static ReplacementFile Make(Descriptor directory, string path, ExtentCompression compression)
    {
        fixed (byte* here = ".\0"u8)
        {
            CallResult result = Sys.OpenAt(
                directory, here, OpenFlags.Temporary | OpenFlags.ReadWrite, out Descriptor file, Sys.ModeOwnerReadWrite);
            Throw(result, SystemCall.OpenAt, path);
            var made = new ReplacementFile(file, path);
            try
            {
                made.SetUp(compression);
                return made;
            }
            catch
            {
                made.Dispose();
                throw;
            }
        }
    }

    public CallResult Write(ReadOnlySpan<byte> bytes, long offset) => Sys.WriteAt(_file, bytes, offset);

    /// <summary>Starts writeback of its data.</summary>
    public void StartWriteOut() => _ = Sys.StartWriteOut(_file, 0, 0);

    /// <summary>Waits until all data is on disk, and reads the resulting extents.</summary>
    /// <exception cref="BtrfsException">The data could not be written to disk, or the tree cannot be read.</exception>
    public void Complete(ItemSource items, ExtentBatch batch)
    {
        Throw(Sys.Flush(_file), SystemCall.Fiemap, _path);
        Throw(Sys.Stat(_file, out Statx status), SystemCall.Statx, _path);
        Throw(items.Start(_file, _path, status.Inode), SystemCall.TreeSearch, _path);
        _extents.Clear();
        for (batch.Clear(); items.Fill(batch); batch.Clear())
        {
            for (int i = 0; i < batch.Count; i++)
            {
                _extents.Add((batch[i].Offset, batch[i].RawDiskOffset, Math.Max(batch[i].RawDiskLength, 0)));
            }
        }
    }

    /// <summary>The number of extents between two offsets, and their size on disk, once it is complete.</summary>
    public (long DiskLength, int Count) Written(long from, long to)
    {
        int index = _extents.BinarySearch((from, 0, 0));
        long sum = 0;
        int count = 0;
        long last = 0;
        for (index = index < 0 ? ~index : index; index < _extents.Count && _extents[index].Offset < to; index++)
        {
            if (_extents[index].Place > 0 && _extents[index].Place != last)
            {
                sum += _extents[index].DiskLength;
                count++;
            }

            last = _extents[index].Place;
        }

        return (sum, count);
    }

    public void Dispose() => Sys.Close(_file);

    /// <summary>
    /// Sets the requested compression, regardless of what its directory passes on. Without compression it stays uncompressed,
    /// regardless of the mount option.
    /// </summary>
    private void SetUp(ExtentCompression compression)
    {
        InodeFlags flags = compression == ExtentCompression.None ? InodeFlags.NoCompress : InodeFlags.None;
        Throw(FileContent.SetEarlyFlags(_file, flags, out _), SystemCall.SetFlags, _path);
        ReadOnlySpan<byte> value = compression switch
        {
            ExtentCompression.Zlib => "zlib"u8,
            ExtentCompression.Lzo => "lzo"u8,
            ExtentCompression.Zstd => "zstd"u8,
            _ => default,
        };
        if (!value.IsEmpty)
        {
            Throw(CompressionXattr.Write(_file, value), SystemCall.SetXattr, _path);
        }
    }

    private static void Throw(CallResult result, SystemCall call, string path)
    {
        if (result.Failed)
        {
            throw new BtrfsException(ErrorTable.Of(call, result.Error, atSource: false, isNamed: true), path, call, result.Error);
        }
    }
}
