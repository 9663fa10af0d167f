using BtrfsClone.Extents;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>
/// Compares data to be shared with the file from which the stream contains it. Without the trees, nothing else shows that a disk
/// address still belongs to the same data: a balance moves extents without changing files.
/// </summary>
internal sealed class SentComparer(SentFiles sent)
{
    private const int BufferSize = 128 << 10;

    private readonly byte[] _here = GC.AllocateUninitializedArray<byte>(BufferSize);
    private readonly byte[] _there = GC.AllocateUninitializedArray<byte>(BufferSize);

    /// <summary>Whether a part of a file equals that of a file in the stream, which has not changed since it was sent.</summary>
    public bool IsSame(Descriptor file, in FileExtent part, long length, int other, long offset)
    {
        if (Open(other, out Descriptor opened).Failed)
        {
            return false;
        }

        using var closing = new DescriptorScope(opened);
        return IsUnchanged(other, opened) && IsSame(file, part.Offset, opened, offset, length) && IsUnchanged(other, opened);
    }

    private bool IsSame(Descriptor file, long from, Descriptor other, long offset, long length)
    {
        for (long done = 0; done < length; done += BufferSize)
        {
            Span<byte> here = _here.AsSpan(0, (int)Math.Min(length - done, BufferSize));
            Span<byte> there = _there.AsSpan(0, here.Length);
            if (Sys.ReadAt(file, here, from + done).Value < here.Length ||
                Sys.ReadAt(other, there, offset + done).Value < there.Length || !here.SequenceEqual(there))
            {
                return false;
            }
        }

        return true;
    }

    private bool IsUnchanged(int file, Descriptor opened)
    {
        ref SentFile known = ref sent[file];
        return Sys.Stat(opened, out Statx status).Succeeded && (status.Inode, status.Device) == (known.Inode, known.Device) &&
            status.ChangeTime.Seconds == known.ChangeTime.Seconds && status.ChangeTime.Nanoseconds == known.ChangeTime.Nanoseconds;
    }

    /// <summary>Opens a file of the stream, name by name: a path may be too long for one call.</summary>
    private unsafe CallResult Open(int file, out Descriptor opened)
    {
        CallResult result = OpenDirectory.At(sent.Subvolumes[sent[file].Subvolume].Path, out opened);
        ReadOnlySpan<byte> rest = sent.PathOf(file);
        while (result.Succeeded && !rest.IsEmpty)
        {
            using var above = new DescriptorScope(opened);
            int slash = rest.IndexOf((byte)'/');
            byte[] name = [.. slash < 0 ? rest : rest[..slash], 0];
            rest = slash < 0 ? [] : rest[(slash + 1)..];
            fixed (byte* start = name)
            {
                result = slash < 0 ? FileOpener.Open(opened, start, out Descriptor next) : OpenDirectory.Below(opened, name, out next);
                opened = next;
            }
        }

        return result;
    }
}
