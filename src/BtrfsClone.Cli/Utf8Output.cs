using System.Buffers.Text;

namespace BtrfsClone.Cli;

/// <summary>
/// Standard output as UTF-8 bytes that are collected in one buffer, without a string for each line. The first lines are flushed
/// early, so that a reader sees them immediately.
/// </summary>
internal sealed class Utf8Output(StandardStream stream)
{
    private const int Full = 64 << 10;

    // The maximum length of a number or of a word in a line.
    private const int Longest = 32;

    private byte[] _bytes = new byte[Full + 4096];
    private int _count;
    private int _limit = 2048;

    /// <summary>Whether output can still be written: not if the reader, such as head(1), has stopped reading.</summary>
    public bool IsOpen => stream.IsOpen;

    public void Write(ReadOnlySpan<byte> text)
    {
        Reserve(text.Length);
        text.CopyTo(_bytes.AsSpan(_count));
        _count += text.Length;
    }

    public void Write(long number)
    {
        Reserve(Longest);
        Utf8Formatter.TryFormat(number, _bytes.AsSpan(_count), out int written);
        _count += written;
    }

    /// <summary>Writes a non-negative number right-aligned in a column, followed by a space.</summary>
    public void WriteRight(long number, int width)
    {
        Reserve(Longest + width);
        Span<byte> column = _bytes.AsSpan(_count, Math.Max(width, Digits(number)) + 1);
        _count += column.Length;
        column.Fill((byte)' ');
        for (int at = column.Length - 2; number > 0 || at == column.Length - 2; at--)
        {
            (number, long digit) = Math.DivRem(number, 10);
            column[at] = (byte)('0' + digit);
        }
    }

    /// <summary>As above; a dash if the number is unknown.</summary>
    public void WriteRight(long? number, int width)
    {
        if (number is long known)
        {
            WriteRight(known, width);
        }
        else
        {
            WriteRight("-"u8, width);
        }
    }

    public void WriteRight(ReadOnlySpan<byte> text, int width)
    {
        Fill(width - text.Length);
        Write(text);
        Write(" "u8);
    }

    public void WriteLeft(ReadOnlySpan<byte> text, int width)
    {
        Write(text);
        Fill(width - text.Length);
        Write(" "u8);
    }

    /// <summary>Ends a line, without trailing spaces. Only here is output passed on: no reader sees half a line.</summary>
    public void EndLine()
    {
        while (_count > 0 && _bytes[_count - 1] == ' ')
        {
            _count--;
        }

        Write("\n"u8);
        if (_count >= _limit)
        {
            _limit = Full;
            Flush();
        }
    }

    public void Flush()
    {
        stream.Write(_bytes, 0, _count);
        _count = 0;
    }

    private static int Digits(long number)
    {
        int digits = 1;
        for (; number >= 10; number /= 10)
        {
            digits++;
        }

        return digits;
    }

    private void Fill(int count)
    {
        if (count > 0)
        {
            Reserve(count);
            _bytes.AsSpan(_count, count).Fill((byte)' ');
            _count += count;
        }
    }

    private void Reserve(int length)
    {
        if (_bytes.Length - _count < length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _count + length));
        }
    }
}
