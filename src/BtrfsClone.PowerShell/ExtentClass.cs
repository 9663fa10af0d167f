using BtrfsClone.Extents;

namespace BtrfsClone.PowerShell;

/// <summary>The classes that a map distinguishes.</summary>
internal enum ExtentClass
{
    Exclusive,
    Shared,
    Inline,
    Prealloc,
    Delalloc,
    Hole,
}

/// <summary>The part of a file extent that a map needs. Offsets and lengths are in bytes.</summary>
internal readonly record struct MappedPiece(string Path, long Offset, long Length, ExtentClass Class)
{
    public long End => Offset + Length;

    public static MappedPiece From(BtrfsExtent extent) =>
        new(extent.Path, extent.Offset, extent.Length, ClassOf(extent.Kind, extent.IsShared));

    public static ExtentClass ClassOf(string kind, bool? isShared) => kind switch
    {
        nameof(ExtentKind.Inline) => ExtentClass.Inline,
        nameof(ExtentKind.Prealloc) => ExtentClass.Prealloc,
        nameof(ExtentKind.Delalloc) => ExtentClass.Delalloc,
        nameof(ExtentKind.Hole) => ExtentClass.Hole,
        _ => isShared == true ? ExtentClass.Shared : ExtentClass.Exclusive,
    };
}
