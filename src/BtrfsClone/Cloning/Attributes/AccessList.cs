using System.Buffers.Binary;

namespace BtrfsClone.Cloning;

/// <summary>
/// A POSIX ACL as the value of its xattr (linux/posix_acl_xattr.h): four bytes of version, then for each entry its tag, permissions
/// and id.
/// </summary>
internal static class AccessList
{
    private const int HeaderSize = 4;
    private const int EntrySize = 8;
    private const uint All = 7;

    /// <summary>
    /// The permission bits of group and others that must be removed from a mode that replaces the ACL: with an ACL, the group bits
    /// of a mode are the mask, and users and groups named in it do not count as others.
    /// </summary>
    public static uint Withheld(ReadOnlySpan<byte> value)
    {
        (uint group, uint mask, uint named) = (All, All, All);
        for (int at = HeaderSize; at + EntrySize <= value.Length; at += EntrySize)
        {
            uint permissions = BinaryPrimitives.ReadUInt16LittleEndian(value[(at + 2)..]);
            switch (BinaryPrimitives.ReadUInt16LittleEndian(value[at..]))
            {
                case 0x02 or 0x08: // ACL_USER, ACL_GROUP
                    named &= permissions;
                    break;
                case 0x04: // ACL_GROUP_OBJ
                    group = permissions;
                    break;
                case 0x10: // ACL_MASK
                    mask = permissions;
                    break;
            }
        }

        // The mask applies to all named users and groups; without any, it applies to the group only.
        uint others = named == All ? All : named & mask;
        return ((All & ~(group & mask & others)) << 3) | (All & ~others);
    }
}
