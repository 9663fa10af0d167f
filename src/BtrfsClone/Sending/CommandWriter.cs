using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>
/// Assembles the commands of a stream and writes many at a time. A command has a length, a number and a checksum, and attributes
/// each have a number and a length, all little-endian (fs/btrfs/send.h).
/// </summary>
/// <param name="output">Receives the stream.</param>
/// <param name="version">1 or 2.</param>
internal sealed class CommandWriter(Stream output, int version)
{
    private const int BufferSize = 1 << 20;
    private const int HeaderSize = 10;

    // Data, and room for two paths and for numbers.
    private const int LargestCommand = EncodedPiece.Largest + (16 << 10);

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize);
    private int _begin;
    private int _end;
    private int _data;
    private bool _isBegun;

    /// <summary>The stream's version.</summary>
    public int Version => version;

    /// <summary>The maximum number of bytes of a file in one command. Old receivers of version 1 accept commands of 64 KiB.</summary>
    public int MostData => version == 1 ? 48 << 10 : 128 << 10;

    /// <summary>The current length of the stream.</summary>
    public long Length { get; private set; }

    /// <summary>Whether a part of the stream could not be written, so nothing may follow.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether there is a command in the stream.</summary>
    public bool IsBegun => _isBegun;

    /// <summary>Starts a command.</summary>
    public void Begin(StreamCommand command)
    {
        if (!_isBegun)
        {
            _isBegun = true;
            "btrfs-stream\0"u8.CopyTo(_buffer);
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(13), (uint)version);
            _end = 17;
        }

        if (BufferSize - _end < LargestCommand)
        {
            Flush();
        }

        _begin = _end;
        _buffer.AsSpan(_begin, HeaderSize).Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_begin + 4), (ushort)command);
        _end += HeaderSize;
    }

    public void Add(StreamAttribute attribute, ReadOnlySpan<byte> value) => value.CopyTo(Take(attribute, value.Length));

    public void Add(StreamAttribute attribute, long value) =>
        BinaryPrimitives.WriteInt64LittleEndian(Take(attribute, sizeof(long)), value);

    public void Add(StreamAttribute attribute, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(Take(attribute, sizeof(uint)), value);

    public void Add(StreamAttribute attribute, in StatxTimestamp time)
    {
        Span<byte> value = Take(attribute, sizeof(long) + sizeof(uint));
        BinaryPrimitives.WriteInt64LittleEndian(value, time.Seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(value[sizeof(long)..], time.Nanoseconds);
    }

    /// <summary>Returns the buffer for a file's data, the last attribute of a command.</summary>
    public Span<byte> AddData(int length)
    {
        if (version == 1)
        {
            Take(StreamAttribute.Data, 0);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_end), (ushort)StreamAttribute.Data);
            _end += sizeof(ushort);
        }

        _data = _end;
        CutData(length);
        return _buffer.AsSpan(_data, length);
    }

    /// <summary>Truncates the data.</summary>
    public void CutData(int length)
    {
        _end = _data + length;
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_data - sizeof(ushort)), checked((ushort)length));
        }
    }

    /// <summary>Ends the command.</summary>
    public void End()
    {
        Span<byte> command = _buffer.AsSpan(_begin, _end - _begin);
        BinaryPrimitives.WriteInt32LittleEndian(command, command.Length - HeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(command[6..], Checksum(command));
    }

    /// <summary>Discards the current command.</summary>
    public void Abandon() => _end = _begin;

    /// <summary>Writes the assembled commands.</summary>
    public void Flush()
    {
        IsBroken = true;
        output.Write(_buffer, 0, _end);
        IsBroken = false;
        Length += _end;
        _end = _begin = 0;
    }

    /// <summary>crc32c as computed by btrfs-progs: with initial value 0, and not inverted.</summary>
    private static uint Checksum(ReadOnlySpan<byte> command)
    {
        uint crc = 0;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(command);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte one in command[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, one);
        }

        return crc;
    }

    private Span<byte> Take(StreamAttribute attribute, int length)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_end), (ushort)attribute);
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_end + sizeof(ushort)), checked((ushort)length));
        _end += 2 * sizeof(ushort);
        return Take(length);
    }

    private Span<byte> Take(int length)
    {
        Span<byte> taken = _buffer.AsSpan(_end, length);
        _end += length;
        return taken;
    }
}
