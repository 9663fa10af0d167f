using System.Buffers.Binary;
using BtrfsClone.Interop;

namespace BtrfsClone.Syncing;

/// <summary>
/// What a sync stores on the destination's top directory, so that the next one examines only later changes: for which two
/// directories it is valid, with which rules, and up to which transactions their subvolumes are known to be equal.
/// </summary>
/// <remarks>
/// A subvolume's UUID is unique: a snapshot that replaces it has another one. The mark is an xattr in the trusted namespace, which
/// only CAP_SYS_ADMIN may set, so no other user can cause changes to be skipped.
/// </remarks>
/// <param name="Source">The source's subvolume.</param>
/// <param name="SourceInode">The source's top directory.</param>
/// <param name="SourceGeneration">The last transaction whose changes at the source have been applied to the destination.</param>
/// <param name="Destination">The destination's subvolume.</param>
/// <param name="DestinationInode">The destination's top directory.</param>
/// <param name="DestinationGeneration">The last transaction whose changes at the destination are known.</param>
/// <param name="Rules">What was to be made equal: a checksum of the options that determine it.</param>
internal sealed record SyncMark(
    Guid Source, ulong SourceInode, ulong SourceGeneration, Guid Destination, ulong DestinationInode,
    ulong DestinationGeneration, ulong Rules)
{
    private const byte Version = 1;
    private const int Size = 1 + 16 + 8 + 8 + 16 + 8 + 8 + 8;

    /// <summary>The name of the xattr, null-terminated.</summary>
    public static ReadOnlySpan<byte> Name => "trusted.btrfs-clone.sync\0"u8;

    /// <summary>Whether a null-terminated xattr name is that of a mark.</summary>
    public static unsafe bool IsName(byte* name) => new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1).SequenceEqual(Name);

    /// <summary>Reads a directory's mark; null if it has none, or one that this version does not support.</summary>
    public static unsafe SyncMark? Read(Descriptor directory)
    {
        byte* value = stackalloc byte[Size];
        fixed (byte* name = Name)
        {
            CallResult result = Sys.GetXattr(directory, name, value, Size);
            return result.Value == Size && value[0] == Version ? Parse(new ReadOnlySpan<byte>(value, Size)) : null;
        }
    }

    /// <summary>Removes a directory's mark, if it has one.</summary>
    public static unsafe CallResult Remove(Descriptor directory)
    {
        fixed (byte* name = Name)
        {
            CallResult result = Sys.RemoveXattr(directory, name);
            return result.Is(Errno.ENODATA) ? CallResult.Success : result;
        }
    }

    /// <summary>Writes the mark to a directory.</summary>
    public unsafe CallResult Write(Descriptor directory)
    {
        byte* value = stackalloc byte[Size];
        Format(new Span<byte>(value, Size));
        fixed (byte* name = Name)
        {
            return Sys.SetXattr(directory, name, value, Size);
        }
    }

    /// <summary>Whether it applies to these two directories and rules, and is not newer than their current state.</summary>
    public bool Fits(SyncMark now) =>
        this with { SourceGeneration = 0, DestinationGeneration = 0 } == now with { SourceGeneration = 0, DestinationGeneration = 0 } &&
        SourceGeneration <= now.SourceGeneration && DestinationGeneration <= now.DestinationGeneration;

    private static SyncMark Parse(ReadOnlySpan<byte> value) => new(
        new Guid(value[1..17]),
        BinaryPrimitives.ReadUInt64LittleEndian(value[17..]),
        BinaryPrimitives.ReadUInt64LittleEndian(value[25..]),
        new Guid(value[33..49]),
        BinaryPrimitives.ReadUInt64LittleEndian(value[49..]),
        BinaryPrimitives.ReadUInt64LittleEndian(value[57..]),
        BinaryPrimitives.ReadUInt64LittleEndian(value[65..]));

    private void Format(Span<byte> value)
    {
        value[0] = Version;
        Source.TryWriteBytes(value[1..]);
        BinaryPrimitives.WriteUInt64LittleEndian(value[17..], SourceInode);
        BinaryPrimitives.WriteUInt64LittleEndian(value[25..], SourceGeneration);
        Destination.TryWriteBytes(value[33..]);
        BinaryPrimitives.WriteUInt64LittleEndian(value[49..], DestinationInode);
        BinaryPrimitives.WriteUInt64LittleEndian(value[57..], DestinationGeneration);
        BinaryPrimitives.WriteUInt64LittleEndian(value[65..], Rules);
    }
}
