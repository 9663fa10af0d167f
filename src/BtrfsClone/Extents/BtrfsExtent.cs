namespace BtrfsClone.Extents;

/// <summary>
/// One file extent as an object, with the file's path. Offsets and lengths are in bytes; null means unknown or not applicable.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="extent">The file extent.</param>
public sealed class BtrfsExtent(string path, FileExtent extent) : ItemResult
{
    private static readonly string[] s_kinds = Enum.GetNames<ExtentKind>();
    private static readonly string[] s_compressions = Enum.GetNames<ExtentCompression>();

    /// <summary>The file.</summary>
    public override string Path { get; internal init; } = path;

    /// <inheritdoc cref="FileExtent.Offset"/>
    public long Offset => extent.Offset;

    /// <inheritdoc cref="FileExtent.Length"/>
    public long Length => extent.Length;

    /// <summary>The name of an <see cref="ExtentKind"/>, as text, so that JSON, CSV and remoting preserve it.</summary>
    public string Kind => s_kinds[(int)extent.Kind];

    /// <inheritdoc cref="FileExtent.DiskOffset"/>
    public long? DiskOffset => extent.DiskOffset;

    /// <inheritdoc cref="FileExtent.DiskLength"/>
    public long? DiskLength => extent.DiskLength;

    /// <inheritdoc cref="FileExtent.ExtentOffset"/>
    public long? ExtentOffset => extent.ExtentOffset;

    /// <inheritdoc cref="FileExtent.RamLength"/>
    public long? RamLength => extent.RamLength;

    /// <summary>
    /// The name of an <see cref="ExtentCompression"/>; null if FIEMAP only reports that the file extent is compressed, and for
    /// holes and delalloc.
    /// </summary>
    public string? Compression => extent.Compression is ExtentCompression known ? s_compressions[(int)known] : null;

    /// <inheritdoc cref="FileExtent.IsShared"/>
    public bool? IsShared => extent.IsShared;

    /// <inheritdoc cref="FileExtent.ReferenceCount"/>
    public long? ReferenceCount => extent.ReferenceCount;

    /// <inheritdoc cref="FileExtent.Generation"/>
    public long? Generation => extent.Generation;

    /// <inheritdoc cref="FileExtent.PhysicalOffset"/>
    public long? PhysicalOffset => extent.PhysicalOffset;
}
