using System.Text;

namespace BtrfsClone.Cloning;

/// <summary>Names that no one else uses, for files that get their own name when they are complete.</summary>
internal static class TemporaryName
{
    /// <summary>The maximum length of a name in bytes, including the terminating null.</summary>
    public const int MaxSize = 64;

    /// <summary>Writes a new name, null-terminated.</summary>
    public static void Write(Span<byte> buffer)
    {
        int length = Encoding.UTF8.GetBytes($".btrfs-clone.{Random.Shared.NextInt64():x16}", buffer);
        buffer[length] = 0;
    }
}
