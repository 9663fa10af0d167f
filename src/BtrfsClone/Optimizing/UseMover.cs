using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Optimizing;

/// <summary>
/// Makes all references to extents refer to their replacement (FIDEDUPERANGE). The kernel compares the data with both files locked:
/// data that has changed by then stays as it is, by halving down to single blocks.
/// </summary>
/// <param name="files">Opens the files.</param>
/// <param name="reading">The rate limit for what the kernel reads to compare.</param>
/// <param name="pump">Called between two steps; it may throw to end the work.</param>
internal sealed class UseMover(OwnerFiles files, Pace reading, Action pump)
{
    // btrfs itself works in chunks of this size (BTRFS_MAX_DEDUPE_LEN); older kernels process no more per call.
    private const long Chunk = 16L << 20;

    private readonly DedupeDestination[] _destinations = new DedupeDestination[Sys.MostDedupeDestinations];
    private readonly ExtentOwner[] _owners = new ExtentOwner[Sys.MostDedupeDestinations];
    private long _blockSize;
    private bool _hasMoved;

    /// <summary>Moves all references to a replacement.</summary>
    /// <param name="replacement">The replacement.</param>
    /// <param name="file">The file that contains it.</param>
    /// <param name="begin">Its offset there.</param>
    /// <param name="blockSize">The filesystem's block size.</param>
    /// <param name="failure">Why one could not be moved, if not because of different data.</param>
    /// <returns>Whether any of them, or a part of one, was moved.</returns>
    public bool Move(Replacement replacement, ReplacementFile file, long begin, long blockSize, out OwnerFailure failure)
    {
        (_blockSize, _hasMoved, failure) = (blockSize, false, default);
        ReadOnlySpan<Move> moves = CollectionsMarshal.AsSpan(replacement.Moves);
        int most = Math.Min(files.Most, _destinations.Length);
        for (int first = 0, next; first < moves.Length; first = next)
        {
            next = first + 1;
            while (next < moves.Length && next - first < most && moves[next].At == moves[first].At &&
                moves[next].Length == moves[first].Length)
            {
                next++;
            }

            OwnerFailure one = MoveEqual(moves[first..next], file.Descriptor, begin + moves[first].At);
            failure = one.Failed ? one : failure;
        }

        return _hasMoved;
    }

    /// <summary>Moves ranges that are to refer to the same data.</summary>
    private OwnerFailure MoveEqual(ReadOnlySpan<Move> moves, Descriptor source, long from)
    {
        OwnerFailure failure = default;
        files.Reserve(moves.Length);
        long length = moves[0].Length;
        for (long done = 0; done < length; done += Chunk)
        {
            pump();
            long part = Math.Min(Chunk, length - done);
            int count = 0;
            foreach (Move move in moves)
            {
                CallResult opened = files.Open(move, out Descriptor file);
                failure = opened.Failed ? new OwnerFailure(Failure.Source(SystemCall.OpenByHandleAt, opened), move.File) : failure;
                if (opened.Succeeded)
                {
                    _owners[count] = move.File;
                    _destinations[count++] = new DedupeDestination { File = file, Offset = (long)move.File.Offset + done };
                }
            }

            reading.Spend(part * count);
            CallResult result = Sys.DedupeMany(source, from + done, part, _destinations.AsSpan(0, count));
            for (int i = 0; i < count; i++)
            {
                CallResult moved = result.Failed ? result : Finish(_destinations[i], source, from + done, part);
                failure = moved.Failed ? new OwnerFailure(Failure.Destination(SystemCall.DedupeRange, moved), _owners[i]) : failure;
            }
        }

        return failure;
    }

    /// <summary>Handles what one call has left over.</summary>
    private CallResult Finish(in DedupeDestination destination, Descriptor source, long from, long length)
    {
        long done = Math.Min(destination.Deduped, length);
        _hasMoved |= done > 0;
        return destination.Error != Errno.None ? destination.Error
            : done < length ? MoveParts(source, from + done, destination.File, destination.Offset + done, length - done)
            : CallResult.Success;
    }

    /// <summary>Moves the parts of a range that are equal, by halving.</summary>
    private CallResult MoveParts(Descriptor source, long from, Descriptor file, long to, long length)
    {
        for (long half; length > 0; (from, to, length) = (from + half, to + half, length - half))
        {
            pump();
            half = length <= _blockSize ? length : Math.Max(length / 2 / _blockSize, 1) * _blockSize;
            FileDedupeRange range = new()
            {
                SourceOffset = (ulong)from,
                SourceLength = (ulong)half,
                DestinationOffset = (ulong)to,
            };
            CallResult result = Sys.DedupeRange(source, file, ref range);
            bool isMoved = result.Succeeded && range.Status != FileDedupeRange.Differs && range.DedupedLength > 0;
            _hasMoved |= isMoved;
            result = result.Succeeded && !isMoved && half > _blockSize ? MoveParts(source, from, file, to, half) : result;
            if (result.Failed)
            {
                return result;
            }
        }

        return CallResult.Success;
    }
}
