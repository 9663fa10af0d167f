using BtrfsClone.Extents;

namespace BtrfsClone.Measuring;

/// <summary>The counts of one worker. Lengths are in bytes.</summary>
internal sealed class UsageTotals
{
    private const int Prealloc = (int)ExtentCompression.Zstd + 1;
    private const int Other = Prealloc + 1;

    private readonly TypeTotals[] _types = new TypeTotals[Other + 1];

    /// <summary>Data extents of the files, each file extent counted once per reference.</summary>
    public long Length { get; set; }

    public long SharedLength { get; set; }

    public long InlineLength { get; set; }

    /// <summary>Counts a file extent in an extent on disk.</summary>
    /// <param name="piece">The file extent.</param>
    /// <param name="isFirst">No file extent of its extent was counted before.</param>
    public void AddPiece(in FileExtent piece, bool isFirst)
    {
        ref TypeTotals type = ref _types[piece.Kind == ExtentKind.Prealloc ? Prealloc : IndexOf(piece.Compression)];
        type.Referenced += piece.Length;
        if (isFirst)
        {
            type.Disk += piece.RawDiskLength;
            type.Uncompressed += piece.RawRamLength;
            type.Extents++;
        }
    }

    public void AddInline(in FileExtent piece)
    {
        ref TypeTotals type = ref _types[IndexOf(piece.Compression)];
        type.Referenced += piece.Length;
        type.Disk += piece.RawDiskLength;
        type.Uncompressed += piece.RawRamLength;
        InlineLength += piece.Length;
    }

    public void Add(UsageTotals other)
    {
        Length += other.Length;
        SharedLength += other.SharedLength;
        InlineLength += other.InlineLength;
        for (int i = 0; i < _types.Length; i++)
        {
            _types[i].Disk += other._types[i].Disk;
            _types[i].Uncompressed += other._types[i].Uncompressed;
            _types[i].Referenced += other._types[i].Referenced;
            _types[i].Extents += other._types[i].Extents;
        }
    }

    public void Clear()
    {
        Length = SharedLength = InlineLength = 0;
        Array.Clear(_types);
    }

    /// <summary>The types that occur, in a fixed order.</summary>
    public IReadOnlyList<CompressionUsage> ByCompression()
    {
        var usages = new List<CompressionUsage>();
        for (int i = 0; i < _types.Length; i++)
        {
            ref readonly TypeTotals type = ref _types[i];
            if (type.Referenced > 0)
            {
                usages.Add(new CompressionUsage
                {
                    Type = i switch
                    {
                        Prealloc => nameof(ExtentKind.Prealloc),
                        Other => "Other",
                        _ => ((ExtentCompression)i).ToString(),
                    },
                    Length = type.Referenced,
                    UncompressedLength = type.Uncompressed,
                    DiskLength = type.Disk,
                    ExtentCount = type.Extents,
                });
            }
        }

        return usages;
    }

    private static int IndexOf(ExtentCompression? compression) => compression is null ? Other : (int)compression;

    private struct TypeTotals
    {
        public long Referenced;
        public long Uncompressed;
        public long Disk;
        public long Extents;
    }
}
