using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>Determines which blocks of two files are equal, by reading.</summary>
internal sealed class BlockComparer
{
    private const int Step = 256 * 1024;

    private readonly byte[] _left = GC.AllocateUninitializedArray<byte>(Step);
    private readonly byte[] _right = GC.AllocateUninitializedArray<byte>(Step);

    /// <summary>Returns a range in parts, in order: maximal runs of blocks that are equal, and of blocks that differ.</summary>
    public void Compare(
        in MergedFile left, in MergedFile right, long start, long end, long blockSize, Action<long, long, bool> piece)
    {
        long run = start;
        bool same = true;
        for (long at = start; at < end; at += Step)
        {
            int length = (int)Math.Min(Step, end - at);
            int read = Math.Min(
                Read(left, _left.AsSpan(0, length), at), Read(right, _right.AsSpan(0, length), at));
            for (int block = 0; block < length; block += (int)blockSize)
            {
                int bytes = (int)Math.Min(blockSize, length - block);

                // A file that was truncated in the meantime has nothing to compare there.
                bool equal = block + bytes <= read &&
                    _left.AsSpan(block, bytes).SequenceEqual(_right.AsSpan(block, bytes));
                if (equal != same)
                {
                    if (at + block > run)
                    {
                        piece(run, at + block, same);
                    }

                    (run, same) = (at + block, equal);
                }
            }
        }

        piece(run, end, same);
    }

    private static int Read(in MergedFile file, Span<byte> buffer, long offset)
    {
        CallResult read = Sys.ReadAt(file.Descriptor, buffer, offset);
        return read.Succeeded ? (int)read.Value : throw BtrfsException.FromErrno(read.Error, SystemCall.Pread, file.Path);
    }
}
