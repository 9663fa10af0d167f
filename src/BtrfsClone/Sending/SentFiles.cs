using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>A file in the stream that others may share with.</summary>
internal struct SentFile
{
    /// <summary>The subvolume of the stream that contains it.</summary>
    public int Subvolume;

    /// <summary>Its size in the stream; -1 until it is complete.</summary>
    public long Size;

    /// <summary>Its identity when it was sent.</summary>
    public ulong Inode;

    public ulong Device;

    public StatxTimestamp ChangeTime;

    internal int Block;
    internal int Start;
    internal int Length;
}

/// <summary>A directory that was sent, as a subvolume of the stream.</summary>
/// <param name="Uuid">Its UUID in the stream.</param>
/// <param name="Path">Its absolute path.</param>
internal sealed record SentSubvolume(Guid Uuid, string Path);

/// <summary>The files in the stream whose data others share, by number. Memory is bounded.</summary>
internal sealed class SentFiles
{
    private const int BlockSize = 1 << 16;

    // About the paths of a million files with shared data.
    private const int MostBlocks = 1 << 10;

    private readonly List<SentFile> _files = [];
    private readonly List<byte[]> _blocks = [];
    private int _used = BlockSize;

    public List<SentSubvolume> Subvolumes { get; } = [];

    /// <summary>Whether no more can be added.</summary>
    public bool IsFull => _blocks.Count >= MostBlocks;

    public ref SentFile this[int file] => ref CollectionsMarshal.AsSpan(_files)[file];

    /// <summary>Adds a file of the subvolume that was started last. Returns its number.</summary>
    public int Add(ReadOnlySpan<byte> path, in Statx status)
    {
        if (_used + path.Length > BlockSize)
        {
            _blocks.Add(GC.AllocateUninitializedArray<byte>(BlockSize));
            _used = 0;
        }

        path.CopyTo(_blocks[^1].AsSpan(_used));
        _files.Add(new SentFile
        {
            Subvolume = Subvolumes.Count - 1,
            Size = -1,
            Inode = status.Inode,
            Device = status.Device,
            ChangeTime = status.ChangeTime,
            Block = _blocks.Count - 1,
            Start = _used,
            Length = path.Length,
        });
        _used += path.Length;
        return _files.Count - 1;
    }

    /// <summary>A file's path in its subvolume.</summary>
    public ReadOnlySpan<byte> PathOf(int file)
    {
        ref SentFile sent = ref this[file];
        return _blocks[sent.Block].AsSpan(sent.Start, sent.Length);
    }
}
