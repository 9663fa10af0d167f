using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The xattr with btrfs's property "compression". FS_IOC_SETFLAGS removes it, or with FS_COMPR_FL sets it to the default algorithm
/// (btrfs_fileattr_set in fs/btrfs/ioctl.c).
/// </summary>
internal static unsafe class CompressionXattr
{
    private const int MostBytes = 16;

    /// <summary>Its value, empty if there is none.</summary>
    public static byte[] Read(Descriptor file)
    {
        byte* value = stackalloc byte[MostBytes];
        fixed (byte* name = CompressionProperty.XattrName)
        {
            return new ReadOnlySpan<byte>(value, (int)Sys.GetXattr(file, name, value, MostBytes).Value).ToArray();
        }
    }

    public static CallResult Write(Descriptor file, ReadOnlySpan<byte> value)
    {
        fixed (byte* name = CompressionProperty.XattrName, text = value)
        {
            return Sys.SetXattr(file, name, text, value.Length);
        }
    }
}
