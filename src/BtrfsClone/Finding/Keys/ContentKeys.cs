using System.Collections.Concurrent;
using System.IO.Hashing;

namespace BtrfsClone.Finding;

/// <summary>Keys of blocks from their content, read on several threads.</summary>
/// <param name="files">The files that are searched.</param>
/// <param name="paths">Their paths.</param>
/// <param name="blockSize">The block size in bytes.</param>
/// <param name="context">Receives each file that cannot be read, once.</param>
internal sealed class ContentKeys(FileTable files, PlacePaths paths, int blockSize, FindContext context) : IBlockKeys
{
    private readonly ulong _zeros = XxHash3.HashToUInt64(new byte[blockSize]);
    private readonly FileMarks _failed = new();
    private readonly object _gate = new();

    public int Evidence => sizeof(ulong);

    public ulong Zeros(bool noChecksum) => Key.OfContent(_zeros, noChecksum);

    public void Read(ReadOnlySpan<KeyPart> parts, Span<ulong> keys)
    {
        KeyPart[] all = parts.ToArray();
        ulong[] read = new ulong[keys.Length];
        int[] starts = new int[all.Length];
        for (int i = 1; i < all.Length; i++)
        {
            starts[i] = starts[i - 1] + all[i - 1].Blocks;
        }

        Parallel.ForEach(
            Partitioner.Create(0, all.Length, Math.Max(all.Length / (4 * context.Workers), 1)),
            new ParallelOptions { MaxDegreeOfParallelism = context.Workers, CancellationToken = context.Cancellation },
            () => new ContentReader(blockSize, context.Cancellation),
            (range, _, reader) =>
            {
                for (int i = range.Item1; i < range.Item2; i++)
                {
                    Read(reader, all[i], read.AsSpan(starts[i], all[i].Blocks));
                }

                return reader;
            },
            reader => reader.Dispose());
        read.CopyTo(keys);
    }

    private void Read(ContentReader reader, in KeyPart part, Span<ulong> keys)
    {
        FileEntry file;
        byte[]? path;
        lock (_gate)
        {
            if (_failed[part.File])
            {
                keys.Clear(); // IBlockKeys.Unknown
                return;
            }

            file = files[part.File];
            path = reader.File == part.File ? [] : paths.Of(file);
        }

        try
        {
            reader.Read(file, part, path, keys);
        }
        catch (BtrfsException failure)
        {
            keys.Clear(); // IBlockKeys.Unknown
            lock (_gate)
            {
                if (!_failed[part.File])
                {
                    _failed.Add(part.File);
                    context.Report(failure);
                }
            }
        }
    }
}
