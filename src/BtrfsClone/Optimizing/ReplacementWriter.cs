using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>Writes the data of extents that is in use, as read from the files that use it.</summary>
/// <param name="files">Opens the files.</param>
/// <param name="reading">The rate limit for reading.</param>
/// <param name="writing">The rate limit for writing.</param>
/// <param name="pump">Called between two steps; it may throw to end the work.</param>
internal sealed class ReplacementWriter(OwnerFiles files, Pace reading, Pace writing, Action pump)
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(1 << 20);

    /// <summary>
    /// Writes a replacement to a file, at an offset. Fails if one of the files that use it cannot be opened or read, or was
    /// truncated (ESTALE), or if it cannot be written.
    /// </summary>
    public OwnerFailure Write(Replacement replacement, ReplacementFile file, long begin)
    {
        long done = 0;
        foreach (Move move in replacement.Moves)
        {
            // Opened even if there is nothing to read: references of a file that cannot be opened cannot be moved either.
            files.Reserve(1);
            CallResult result = files.Open(move, out Descriptor owner);
            if (result.Failed)
            {
                return new OwnerFailure(Failure.Source(SystemCall.OpenByHandleAt, result), move.File);
            }

            long length;
            for (long skipped = Math.Max(done - move.At, 0); skipped < move.Length; skipped += length)
            {
                pump();
                length = Math.Min(move.Length - skipped, _buffer.Length);
                Failure failure = Copy(
                    owner, (long)move.File.Offset + skipped, file, begin + move.At + skipped, _buffer.AsSpan(0, (int)length));
                if (failure.Failed)
                {
                    return new OwnerFailure(failure, failure.AtSource ? move.File : default);
                }
            }

            done = Math.Max(done, move.At + move.Length);
        }

        return default;
    }

    private Failure Copy(Descriptor owner, long from, ReplacementFile file, long to, Span<byte> bytes)
    {
        reading.Spend(bytes.Length);
        CallResult result = Sys.ReadAt(owner, bytes, from);
        if (result.Failed || result.Value < bytes.Length)
        {
            return Failure.Source(SystemCall.Pread, result.Failed ? result : Errno.ESTALE);
        }

        writing.Spend(bytes.Length);
        result = file.Write(bytes, to);
        return result.Failed ? Failure.Destination(SystemCall.Pwrite, result) : default;
    }
}
