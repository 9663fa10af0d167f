using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Comparing;

/// <summary>
/// Determines which bytes of two files have the same disk address, from their extents: with FIEMAP, and for files with many or
/// compressed extents, from the trees if they may be read. Content is only read if this is not sufficient.
/// </summary>
internal sealed class FileComparer
{
    private const int Step = 64 << 10;

    private readonly ExtentCursor _referencePieces = new();
    private readonly ExtentCursor _pieces = new();
    private readonly FiemapSource _mappedReference = new(new FiemapReader());
    private readonly FiemapSource _mapped = new(new FiemapReader());
    private readonly FiemapReader _probe = new();
    private (ItemSource Reference, ItemSource File)? _items;
    private (byte[] Reference, byte[] File)? _content;
    private bool _treesAreRefused;

    public CancellationToken Cancellation { get; set; }

    /// <summary>Whether the trees may be used.</summary>
    public bool MayReadTrees { get; set; } = true;

    /// <summary>The trees are faster then: FIEMAP follows the references of each extent.</summary>
    private bool HasManyExtents => _mappedReference.HasMore || _mapped.HasMore;

    /// <summary>Compares two files on one filesystem.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="file">The other file.</param>
    /// <returns>The number of bytes that are equal at the same offsets.</returns>
    /// <exception cref="BtrfsException">Reading failed.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public SameBytes Compare(in ComparedFile reference, in ComparedFile file)
    {
        long limit = Math.Min(reference.Size, file.Size);
        if (limit == 0)
        {
            return default;
        }

        StartMapped(reference, file, limit);
        bool mayTryItems = true;
        SameBytes same = default;
        for (long position = 0; position < limit;)
        {
            Cancellation.ThrowIfCancellationRequested();
            FileExtent referencePiece = _referencePieces.At(position, out long referenceEnd);
            FileExtent piece = _pieces.At(position, out long end);
            bool areEncoded = IsEncoded(referencePiece) && IsEncoded(piece);
            if (mayTryItems && (areEncoded || HasManyExtents))
            {
                mayTryItems = false;
                if (TryStartItems(reference, file, limit))
                {
                    continue;
                }
            }

            if (areEncoded)
            {
                referencePiece = Probe(reference, position, out referenceEnd);
                piece = Probe(file, position, out end);
            }

            end = Math.Min(Math.Min(end, referenceEnd), limit);
            PlaceRelation relation = Relate(referencePiece, piece, position);
            if (relation == PlaceRelation.Same)
            {
                same.Shared += end - position;
            }
            else if (relation == PlaceRelation.PerhapsSame && HaveSameContent(reference, file, position, end))
            {
                bool isInline = referencePiece.Kind == ExtentKind.Inline || piece.Kind == ExtentKind.Inline;
                same.Shared += isInline ? 0 : end - position;
                same.Inline += isInline ? end - position : 0;
                same.Compared += end - position;
            }

            position = end;
        }

        return same;
    }

    /// <summary>Whether a file extent is compressed, and comes from FIEMAP.</summary>
    private static bool IsEncoded(in FileExtent piece) =>
        piece.Kind == ExtentKind.Data && piece.Compression is null && piece.ExtentOffset is null;

    private static PlaceRelation Relate(in FileExtent reference, in FileExtent piece, long position) =>
        reference.Kind == ExtentKind.Inline || piece.Kind == ExtentKind.Inline ? PlaceRelation.PerhapsSame
        : reference.Kind == ExtentKind.Hole && piece.Kind == ExtentKind.Hole ? PlaceRelation.Same
        : ExtentPlace.Relate(reference, piece, position);

    /// <summary>
    /// Maps a single block. FIEMAP merges compressed extents if the distance of their disk addresses equals the distance of their
    /// file offsets; for a single block, it cannot.
    /// </summary>
    private FileExtent Probe(in ComparedFile file, long position, out long end)
    {
        _probe.Start(file.Descriptor, file.Path);
        _probe.Map(position, position + 1);
        FileExtent piece = _probe.Count > 0
            ? FiemapSource.ToPiece(_probe[0])
            : FileExtent.Hole(position, file.BlockSize - (position % file.BlockSize));
        end = piece.End;
        return piece;
    }

    private void StartMapped(in ComparedFile reference, in ComparedFile file, long limit)
    {
        // Dirty data over an existing extent is not visible: the address would be that of the old data.
        _mappedReference.Start(reference.Descriptor, reference.Path, 0, limit, flush: true);
        _mapped.Start(file.Descriptor, file.Path, 0, limit, flush: true);
        _referencePieces.Start(_mappedReference, reference.BlockSize, limit);
        _pieces.Start(_mapped, file.BlockSize, limit);
    }

    private bool TryStartItems(in ComparedFile reference, in ComparedFile file, long limit)
    {
        if (_treesAreRefused || !MayReadTrees)
        {
            return false;
        }

        (ItemSource Reference, ItemSource File) items = _items ??= (new ItemSource(), new ItemSource());
        CallResult result = items.Reference.Start(reference.Descriptor, reference.Path, reference.Status.Inode);
        result = result.Failed ? result : items.File.Start(file.Descriptor, file.Path, file.Status.Inode);
        _treesAreRefused = result.Error is Errno.EPERM or Errno.EACCES;
        if (result.Failed)
        {
            // For example, it is not btrfs.
            return false;
        }

        _referencePieces.Start(items.Reference, reference.BlockSize, limit);
        _pieces.Start(items.File, file.BlockSize, limit);
        return true;
    }

    private bool HaveSameContent(in ComparedFile reference, in ComparedFile file, long position, long end)
    {
        (byte[] Reference, byte[] File) content =
            _content ??= (GC.AllocateUninitializedArray<byte>(Step), GC.AllocateUninitializedArray<byte>(Step));
        for (; position < end; position += Step)
        {
            Cancellation.ThrowIfCancellationRequested();
            int length = (int)Math.Min(Step, end - position);
            int read = Read(reference, content.Reference.AsSpan(0, length), position);
            if (read < length || Read(file, content.File.AsSpan(0, length), position) < length ||
                !content.Reference.AsSpan(0, length).SequenceEqual(content.File.AsSpan(0, length)))
            {
                return false;
            }
        }

        return true;
    }

    private static int Read(in ComparedFile file, Span<byte> buffer, long offset)
    {
        CallResult read = Sys.ReadAt(file.Descriptor, buffer, offset);
        return read.Succeeded ? (int)read.Value : throw BtrfsException.FromErrno(read.Error, SystemCall.Pread, file.Path);
    }
}
