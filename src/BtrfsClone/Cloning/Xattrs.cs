using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Something that has xattrs: an open descriptor, or a path for what cannot be opened. The path is the entry's own, or
/// leads to a path-only descriptor that holds it.
/// </summary>
internal readonly unsafe struct XattrHolder(int descriptor, byte* path, bool isHeld = false)
{
    public int List(byte* list) => path == null ? Sys.ListXattr(descriptor, list)
        : isHeld ? Sys.ListXattrOfHeld(path, list)
        : Sys.ListXattrOfPath(path, list);

    public int Get(byte* name, byte* value) => path == null
        ? Sys.GetXattr(descriptor, name, value)
        : Sys.GetXattrOfPath(path, name, value);

    public int Set(byte* name, byte* value, int size) => path == null ? Sys.SetXattr(descriptor, name, value, size)
        : isHeld ? Sys.SetXattrOfHeld(path, name, value, size)
        : Sys.SetXattrOfPath(path, name, value, size);

    public int Remove(byte* name) => path == null ? Sys.RemoveXattr(descriptor, name)
        : isHeld ? Sys.RemoveXattrOfHeld(path, name)
        : Sys.RemoveXattrOfPath(path, name);
}

/// <summary>Copies xattrs, POSIX ACLs among them.</summary>
internal static unsafe class Xattrs
{
    private delegate bool NameFilter(ReadOnlySpan<byte> name);

    /// <summary>
    /// Sets all xattrs that are listed in the buffers, and with <paramref name="exact"/> removes every other one.
    /// </summary>
    public static Fault Copy(WorkerBuffers buffers, XattrHolder from, XattrHolder to, int nameBytes, bool exact)
    {
        if (exact)
        {
            RemoveOthers(buffers, to, nameBytes);
        }

        // An ACL may take from the owner the right to set the others: it comes last.
        Fault fault = Copy(buffers, from, to, nameBytes, static name => !name.StartsWith("system."u8));
        return fault.Failed
            ? fault
            : Copy(buffers, from, to, nameBytes, static name => name.StartsWith("system."u8));
    }

    private static Fault Copy(
        WorkerBuffers buffers, XattrHolder from, XattrHolder to, int nameBytes, NameFilter isMeant)
    {
        for (byte* name = buffers.XattrNames; name < buffers.XattrNames + nameBytes; name += Utf8Z.Length(name) + 1)
        {
            if (!isMeant(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)))
            {
                continue;
            }

            int size = from.Get(name, buffers.XattrValue);
            if (size == -Errno.ENODATA)
            {
                continue;
            }

            if (size < 0)
            {
                return Fault.Source("fgetxattr", size);
            }

            int result = to.Set(name, buffers.XattrValue, size);
            if (result < 0 && !IsOutOfReach(result, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)))
            {
                // An ACL that names ids without meaning in this user namespace. Without it the mode alone would grant
                // other things.
                Fault fault = Fault.Destination("fsetxattr", result);
                return result == -Errno.EINVAL ? fault with { Meaning = BtrfsError.PermissionDenied } : fault;
            }
        }

        return default;
    }

    /// <summary>Whether new entries of a directory with these names get xattrs from it.</summary>
    public static bool AreInherited(byte* names, int nameBytes)
    {
        for (byte* name = names; name < names + nameBytes; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (text.SequenceEqual("system.posix_acl_default"u8) || text.SequenceEqual("btrfs.compression"u8))
            {
                return true;
            }
        }

        return false;
    }

    private static void RemoveOthers(WorkerBuffers buffers, XattrHolder from, int nameBytes)
    {
        var wanted = new ReadOnlySpan<byte>(buffers.XattrNames, nameBytes);
        int otherBytes = from.List(buffers.OtherXattrNames);
        byte* end = buffers.OtherXattrNames + Math.Max(otherBytes, 0);
        for (byte* name = buffers.OtherXattrNames; name < end; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (!Contains(wanted, text))
            {
                // What may not be removed (a security label) is the system's to decide.
                _ = from.Remove(name);
            }
        }
    }

    private static bool Contains(ReadOnlySpan<byte> names, ReadOnlySpan<byte> name)
    {
        while (names.Length > 0)
        {
            int end = names.IndexOf((byte)0);
            if (names[..end].SequenceEqual(name))
            {
                return true;
            }

            names = names[(end + 1)..];
        }

        return false;
    }

    /// <summary>
    /// Like an owner, what only a privileged user may set is kept where permitted; and a filesystem that copied bytes
    /// land on need not know btrfs's own properties.
    /// </summary>
    private static bool IsOutOfReach(int result, ReadOnlySpan<byte> name) => result switch
    {
        -Errno.EPERM => name.StartsWith("security."u8) || name.StartsWith("trusted."u8),
        -Errno.EOPNOTSUPP => name.StartsWith("security."u8) || name.StartsWith("btrfs."u8),
        _ => false,
    };
}
