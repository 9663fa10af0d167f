using System.IO.Hashing;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>Reads blocks of files, with one file open at a time.</summary>
internal sealed class ContentReader(int blockSize, CancellationToken cancellation) : IDisposable
{
    private const int Step = 1 << 20;

    private readonly byte[] _buffer = new byte[Step];
    private Descriptor _descriptor;
    private string _path = "";

    /// <summary>The number of the open file; -1 for none.</summary>
    public int File { get; private set; } = -1;

    /// <summary>Reads blocks and computes their keys; blocks that no longer exist get none.</summary>
    /// <param name="file">The file.</param>
    /// <param name="part">The blocks.</param>
    /// <param name="path">The file's path, unless it is already open; null if it no longer has one.</param>
    /// <param name="keys">Receives the keys.</param>
    /// <exception cref="BtrfsException">The file cannot be opened or read.</exception>
    public void Read(in FileEntry file, in KeyPart part, byte[]? path, Span<ulong> keys)
    {
        keys.Clear(); // IBlockKeys.Unknown
        if (part.File != File && !TryOpen(file, part.File, path))
        {
            return;
        }

        long offset = part.FileBlock * blockSize;
        long end = Math.Min(offset + ((long)keys.Length * blockSize), file.Size);
        for (int block = 0; offset < end;)
        {
            Span<byte> bytes = _buffer.AsSpan(0, (int)Math.Min(Step, end - offset));
            cancellation.ThrowIfCancellationRequested();
            CallResult result = Sys.ReadAt(_descriptor, bytes, offset);
            if (result.Failed)
            {
                throw BtrfsException.FromErrno(result.Error, SystemCall.Pread, _path);
            }

            int read = (int)result.Value;
            if (read < bytes.Length)
            {
                return; // The file was truncated.
            }

            int padded = (read + blockSize - 1) / blockSize * blockSize;
            _buffer.AsSpan(read, padded - read).Clear();
            for (int at = 0; at < padded; at += blockSize)
            {
                keys[block++] = Key.OfContent(XxHash3.HashToUInt64(_buffer.AsSpan(at, blockSize)), part.NoChecksum);
            }

            offset += read;
        }
    }

    public void Dispose() => Close();

    /// <summary>Opens a file. False if it no longer exists, or was replaced.</summary>
    private bool TryOpen(in FileEntry file, int number, byte[]? path)
    {
        Close();
        if (path is null)
        {
            return false;
        }

        _path = Utf8Z.ToText(path);
        CallResult result = FileByPath.Open(path, file.Inode, out _descriptor, out _);
        if (result.Failed)
        {
            return FileOpener.IsGone(result) ? false : throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, _path);
        }

        File = number;
        return true;
    }

    private void Close()
    {
        Sys.Close(_descriptor);
        (_descriptor, File) = (Descriptor.None, -1);
    }
}
