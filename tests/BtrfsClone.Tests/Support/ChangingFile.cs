using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// A file that changes at random, one change after the other, and remembers for each block which contents it had and
/// when, so that whatever was read of it meanwhile can be judged: by write, append, truncate, mmap, hole and O_DIRECT.
/// </summary>
internal sealed unsafe class ChangingFile : IDisposable
{
    public const int Block = 4096;
    private const int Blocks = 48;
    private const int MaxSize = Blocks * Block;

    private readonly Random _random;
    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle _direct;
    private readonly byte* _map;
    private readonly object _gate = new();
    private readonly List<State<long>> _sizes = [new(0, 0, false)];
    private readonly List<State<byte[]>>[] _blocks =
        [.. Enumerable.Range(0, Blocks).Select(_ => new List<State<byte[]>> { new(0, new byte[Block], false) })];

    private long _started;
    private long _finished;

    public ChangingFile(string path, int seed)
    {
        _random = new Random(seed);
        _file = Native.CreateFile(path);
        _direct = Native.OpenDirect(path);
        _map = Native.Map(_file, MaxSize);
    }

    /// <summary>How many changes there have been.</summary>
    public long Changes => Volatile.Read(ref _finished);

    /// <summary>Changes it once.</summary>
    public void Change()
    {
        int block = _random.Next(Blocks);
        long size = Size();
        switch (_random.Next(6))
        {
            case 0:
                Change(block * Block, Fresh(_random.Next(1, 4) * Block), (offset, data) => RandomAccess.Write(_file, data, offset));
                break;
            case 1:
                Change(size, Fresh(_random.Next(1, 3000)), (offset, data) => RandomAccess.Write(_file, data, offset));
                break;
            case 2:
                Truncate(_random.Next(MaxSize));
                break;
            case 3 when size >= Block:
                // Whole blocks below the end only: a store beyond it is a SIGBUS.
                Change(_random.Next((int)(size / Block)) * Block, Fresh(Block), Store, mapped: true);
                break;
            case 4:
                Change(block * Block, new byte[Block], (offset, data) => Native.PunchHole(_file, offset, data.Length), grows: false);
                break;
            default:
                Change(block * Block, Fresh(Block), (offset, data) => Native.WriteAligned(_direct, data, offset));
                break;
        }
    }

    /// <summary>Forgets what no longer was before now. What is read from now on is judged from here.</summary>
    public long Begin()
    {
        lock (_gate)
        {
            long since = _finished;
            Forget(_sizes, since);
            Array.ForEach(_blocks, block => Forget(block, since));
            return since;
        }
    }

    /// <summary>What is wrong with content that was read whole since the beginning, or null.</summary>
    public string? Judge(ReadOnlySpan<byte> content, long since)
    {
        lock (_gate)
        {
            long length = content.Length;
            if (!_sizes.Exists(size => size.Value == length))
            {
                return $"{length} bytes, a size that it did not have.";
            }

            for (int i = 0; i * Block < content.Length; i++)
            {
                ReadOnlySpan<byte> part = content[(i * Block)..Math.Min((i + 1) * Block, content.Length)];
                if (!WasEver(_blocks[i], part, since))
                {
                    return $"block {i} of {length} bytes holds what it did not hold: {Convert.ToHexString(part[..32])}...";
                }
            }

            return null;
        }
    }

    public void Dispose()
    {
        Native.Unmap(_map, MaxSize);
        _direct.Dispose();
        _file.Dispose();
    }

    /// <summary>Its size now. The lists are shortened by the thread that judges.</summary>
    private long Size()
    {
        lock (_gate)
        {
            return _sizes[^1].Value;
        }
    }

    private static bool WasEver(List<State<byte[]>> states, ReadOnlySpan<byte> part, long since)
    {
        for (int i = 0; i < states.Count; i++)
        {
            if (part.SequenceEqual(states[i].Value.AsSpan(0, part.Length)))
            {
                return true;
            }

            // A store through a mapping is no single step: its beginning may be there, and then what was before.
            int same = part.CommonPrefixLength(states[i].Value);
            if (i > 0 && states[i].Mapped && states[i].Change > since &&
                part[same..].SequenceEqual(states[i - 1].Value.AsSpan(same, part.Length - same)))
            {
                return true;
            }
        }

        return false;
    }

    private static void Forget<T>(List<State<T>> states, long finished)
    {
        int current = states.FindLastIndex(state => state.Change <= finished);
        states.RemoveRange(0, Math.Max(current, 0));
    }

    private byte[] Fresh(int length)
    {
        byte[] data = new byte[length];
        _random.NextBytes(data);
        return data;
    }

    private void Change(long offset, byte[] data, Action<long, byte[]> apply, bool grows = true, bool mapped = false)
    {
        data = data[..(int)Math.Min(data.Length, MaxSize - offset)];
        long end = offset + data.Length;
        lock (_gate)
        {
            _started++;
            for (long at = offset; at < end;)
            {
                int inside = (int)(at % Block);
                int length = (int)Math.Min(Block - inside, end - at);
                List<State<byte[]>> states = _blocks[at / Block];
                byte[] content = [.. states[^1].Value];
                data.AsSpan((int)(at - offset), length).CopyTo(content.AsSpan(inside));
                states.Add(new(_started, content, mapped));
                at += length;
            }

            long size = _sizes[^1].Value;
            _sizes.Add(new(_started, grows ? Math.Max(size, end) : size, false));
        }

        if (data.Length > 0)
        {
            apply(offset, data);
        }

        Volatile.Write(ref _finished, _started);
    }

    private void Truncate(long size)
    {
        lock (_gate)
        {
            _started++;
            for (int i = 0; i < Blocks; i++)
            {
                int kept = (int)Math.Clamp(size - (i * Block), 0, Block);
                byte[] content = [.. _blocks[i][^1].Value];
                content.AsSpan(kept).Clear();
                _blocks[i].Add(new(_started, content, false));
            }

            _sizes.Add(new(_started, size, false));
        }

        Native.Truncate(_file, size);
        Volatile.Write(ref _finished, _started);
    }

    private void Store(long offset, byte[] data)
    {
        var from = MemoryMarshal.Cast<byte, long>(data);
        var to = (long*)(_map + offset);
        for (int i = 0; i < from.Length; i++)
        {
            // In this order for everybody who looks.
            Volatile.Write(ref to[i], from[i]);
        }
    }

    /// <summary>What was there from when a change began until the next one has ended.</summary>
    private readonly record struct State<T>(long Change, T Value, bool Mapped);
}
