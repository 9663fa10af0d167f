using System.Runtime.InteropServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// An object with xattrs: an open descriptor, or a path if it cannot be opened. The path is that of the entry, or leads to an
/// O_PATH descriptor of it.
/// </summary>
internal readonly unsafe struct XattrHolder
{
    private readonly Descriptor _descriptor;
    private readonly byte* _path;
    private readonly bool _isHeld;

    public XattrHolder(Descriptor descriptor) => _descriptor = descriptor;

    /// <param name="path">The entry's own path, or one that leads to its descriptor.</param>
    /// <param name="isHeld">Whether it leads to an O_PATH descriptor.</param>
    public XattrHolder(byte* path, bool isHeld = false)
    {
        _path = path;
        _isHeld = isHeld;
    }

    public CallResult List(byte* list) => _path == null ? Sys.ListXattr(_descriptor, list)
        : _isHeld ? Sys.ListXattrOfHeld(_path, list)
        : Sys.ListXattrOfPath(_path, list);

    public CallResult Get(byte* name, byte* value) => _path == null
        ? Sys.GetXattr(_descriptor, name, value)
        : Sys.GetXattrOfPath(_path, name, value);

    public CallResult Set(byte* name, byte* value, int size) => _path == null ? Sys.SetXattr(_descriptor, name, value, size)
        : _isHeld ? Sys.SetXattrOfHeld(_path, name, value, size)
        : Sys.SetXattrOfPath(_path, name, value, size);

    public CallResult Remove(byte* name) => _path == null ? Sys.RemoveXattr(_descriptor, name)
        : _isHeld ? Sys.RemoveXattrOfHeld(_path, name)
        : Sys.RemoveXattrOfPath(_path, name);
}

/// <summary>Copies xattrs, including POSIX ACLs.</summary>
internal sealed unsafe class Xattrs(CloneContext context)
{
    private delegate bool NameFilter(ReadOnlySpan<byte> name);

    private bool IsAuto => context.Options.Reflink == ReflinkMode.Auto;

    /// <summary>
    /// Sets all xattrs listed in the buffers, and with <paramref name="exact"/> removes all others. If an ACL cannot be preserved,
    /// the permissions that it would have withheld are removed from the entry's permissions.
    /// </summary>
    public Failure Copy(
        WorkerBuffers buffers, XattrHolder from, XattrHolder to, int nameBytes, bool exact, ref uint permissions)
    {
        if (exact)
        {
            RemoveOthers(buffers, to, nameBytes);
        }

        // An ACL may deny the owner the permission to set the others: it is set last.
        Failure failure = Copy(buffers, from, to, nameBytes, static name => !name.StartsWith("system."u8), ref permissions);
        return failure.Failed
            ? failure
            : Copy(buffers, from, to, nameBytes, static name => name.StartsWith("system."u8), ref permissions);
    }

    private Failure Copy(
        WorkerBuffers buffers, XattrHolder from, XattrHolder to, int nameBytes, NameFilter isMeant, ref uint permissions)
    {
        for (byte* name = buffers.XattrNames; name < buffers.XattrNames + nameBytes; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (!isMeant(text) || IsKept(text))
            {
                continue;
            }

            CallResult size = from.Get(name, buffers.XattrValue);
            if (size.Failed)
            {
                if (size.Is(Errno.ENODATA))
                {
                    continue;
                }

                if (!IsNotGiven(size.Error, text))
                {
                    return Failure.Source(SystemCall.GetXattr, size);
                }

                context.Losses.AddXattr(text);
                continue;
            }

            CallResult result = to.Set(name, buffers.XattrValue, (int)size.Value);
            if (result.Failed && !IsOutOfReach(result.Error, text))
            {
                if (!IsAuto || !HasNoPlace(result.Error))
                {
                    // The ACL contains ids that are not mapped in this user namespace. Without it, the mode alone would grant other
                    // permissions.
                    Failure failure = Failure.Destination(SystemCall.SetXattr, result);
                    return result.Is(Errno.EINVAL) ? failure with { Meaning = BtrfsError.PermissionDenied } : failure;
                }

                Lose(text, new ReadOnlySpan<byte>(buffers.XattrValue, (int)size.Value), ref permissions);
            }
        }

        return default;
    }

    /// <summary>Whether a list of names contains btrfs's property "compression".</summary>
    public static bool HaveCompression(byte* names, int nameBytes) =>
        Contains(new ReadOnlySpan<byte>(names, nameBytes), CompressionProperty.Xattr);

    /// <summary>Sets the compression of data written later.</summary>
    public Failure SetCompression(Descriptor to, byte[] value)
    {
        CallResult result = CompressionXattr.Write(to, value);
        if (result.Failed && IsAuto && HasNoPlace(result.Error))
        {
            context.Losses.AddXattr(CompressionProperty.Xattr);
            return default;
        }

        return result.Failed ? Failure.Destination(SystemCall.SetXattr, result) : default;
    }

    private void Lose(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref uint permissions)
    {
        bool changesAccess = name.SequenceEqual("system.posix_acl_access"u8);
        context.Losses.AddXattr(name, changesAccess);
        if (changesAccess)
        {
            permissions &= ~AccessList.Withheld(value);
        }
    }

    /// <summary>
    /// A filesystem mounted without ACLs lists them nevertheless; and a capability whose root user is not mapped in this user
    /// namespace is not returned.
    /// </summary>
    private bool IsNotGiven(Errno error, ReadOnlySpan<byte> name) =>
        (error == Errno.EOPNOTSUPP && name.StartsWith("system."u8)) ||
        (IsAuto && error is (Errno.EOPNOTSUPP or Errno.EOVERFLOW));

    /// <summary>Whether a filesystem other than the source's cannot store an xattr, because of its kind or size.</summary>
    private static bool HasNoPlace(Errno error) => error is Errno.EOPNOTSUPP or Errno.EINVAL or Errno.EPERM or
        Errno.EOVERFLOW or Errno.E2BIG or Errno.ERANGE or Errno.ENOSPC;

    /// <summary>Whether new entries of a directory with these names inherit xattrs from it.</summary>
    public static bool AreInherited(byte* names, int nameBytes)
    {
        for (byte* name = names; name < names + nameBytes; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (text.SequenceEqual("system.posix_acl_default"u8) || text.SequenceEqual(CompressionProperty.Xattr))
            {
                return true;
            }
        }

        return false;
    }

    private void RemoveOthers(WorkerBuffers buffers, XattrHolder from, int nameBytes)
    {
        var wanted = new ReadOnlySpan<byte>(buffers.XattrNames, nameBytes);
        byte* end = buffers.OtherXattrNames + from.List(buffers.OtherXattrNames).Value;
        for (byte* name = buffers.OtherXattrNames; name < end; name += Utf8Z.Length(name) + 1)
        {
            ReadOnlySpan<byte> text = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
            if (!Contains(wanted, text) && !IsKept(text))
            {
                // If it may not be removed (a security label), it is managed by the system.
                _ = from.Remove(name);
            }
        }
    }

    /// <summary>Whether this xattr of an entry is left as it is, or absent.</summary>
    private bool IsKept(ReadOnlySpan<byte> name) => !context.Storage.KeepsCompression && name.SequenceEqual(CompressionProperty.Xattr);

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
    /// Like an owner, an xattr that only a privileged user may set is preserved if permitted. A filesystem that does not accept
    /// <c>security.</c> attributes has no use for them; losses with <see cref="ReflinkMode.Auto"/> are counted.
    /// </summary>
    private bool IsOutOfReach(Errno error, ReadOnlySpan<byte> name) => error switch
    {
        Errno.EPERM => name.StartsWith("security."u8) || name.StartsWith("trusted."u8),
        Errno.EOPNOTSUPP => !IsAuto && (name.StartsWith("security."u8) || name.StartsWith("btrfs."u8)),
        _ => false,
    };
}
