using BtrfsClone.Interop;

namespace BtrfsClone.Extents;

/// <summary>The pieces of a file as FIEMAP gives them.</summary>
internal sealed class FiemapSource(FiemapReader reader) : IExtentSource
{
    private long _start;
    private long _position;
    private long _end;
    private bool _done;

    /// <summary>Whether the last part ended for want of room.</summary>
    public bool HasMore => reader.IsFull;

    public void Start(int descriptor, string path, long offset, long end, bool flush = false)
    {
        reader.Start(descriptor, path, flush);
        _start = _position = offset;
        _end = end;
        _done = false;
    }

    /// <inheritdoc/>
    public bool Fill(ExtentBatch batch)
    {
        if (_done || _position >= _end)
        {
            return false;
        }

        reader.Map(_position, _end);
        long before = _position;
        for (int i = 0; i < reader.Count; i++)
        {
            FileExtent piece = ToPiece(reader[i]);
            if (piece.Offset < _position && _position > _start)
            {
                // It has grown at its front since the call before.
                if (piece.End <= _position)
                {
                    continue;
                }

                piece = piece.Part(_position, piece.End);
            }

            _position = piece.End;
            batch.Add(piece);
        }

        _done = reader.IsLast || _position == before;
        return true;
    }

    /// <summary>What FIEMAP says of a piece.</summary>
    public static FileExtent ToPiece(in FiemapExtent extent)
    {
        FiemapExtentFlags flags = extent.Flags;
        ExtentKind kind = (flags & FiemapExtentFlags.DataInline) != 0 ? ExtentKind.Inline
            : (flags & FiemapExtentFlags.Delalloc) != 0 ? ExtentKind.Delalloc
            : (flags & FiemapExtentFlags.Unwritten) != 0 ? ExtentKind.Prealloc
            : ExtentKind.Data;
        if (kind == ExtentKind.Delalloc)
        {
            return FileExtent.Delalloc((long)extent.Logical, (long)extent.Length);
        }

        bool isPlaced = kind != ExtentKind.Inline && (flags & FiemapExtentFlags.Unknown) == 0;
        return FileExtent.Mapped(
            (long)extent.Logical,
            (long)extent.Length,
            kind,
            isPlaced ? (long)extent.Physical : null,
            (flags & FiemapExtentFlags.Encoded) != 0 ? null : ExtentCompression.None,
            (flags & FiemapExtentFlags.Shared) != 0);
    }
}
