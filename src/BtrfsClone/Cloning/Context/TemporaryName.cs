using System.Text;

namespace BtrfsClone.Cloning;

/// <summary>Names that nobody else chooses, for what gets its own name when it is whole.</summary>
internal static class TemporaryName
{
    /// <summary>No name is longer, in bytes, its zero byte included.</summary>
    public const int MaxSize = 64;

    /// <summary>Writes a new name, ended by a zero byte.</summary>
    public static void Write(Span<byte> buffer)
    {
        int length = Encoding.UTF8.GetBytes($".btrfs-clone.{Random.Shared.NextInt64():x16}", buffer);
        buffer[length] = 0;
    }
}
