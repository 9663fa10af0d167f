using System.Text;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>
/// Resolves references: which file extent, and the names of the file. They are processed in the order of their positions, so that
/// one search of a subvolume's tree returns the items of many.
/// </summary>
internal sealed class ReferenceLookup(SubvolumePaths paths)
{
    private readonly InodeCursor _cursor = new();
    private readonly List<FileNameInSubvolume> _names = [];
    private Descriptor _file;
    private string _path = "";
    private ulong _subvolume;
    private ulong _inode;
    private bool _isFresh;
    private bool _hasItem;

    // The subvolume whose path was requested last.
    private ulong _named;
    private string? _name;

    // Shared by the references of the last file.
    private IReadOnlyList<FileNameInSubvolume>? _lastNames;

    /// <summary>Starts with an open file on the filesystem.</summary>
    public void Start(Descriptor file, string path)
    {
        (_file, _path, _subvolume, _lastNames) = (file, path, 0, null);
        paths.Use(file, path);
    }

    /// <summary>Looks up references from one call of the kernel, sorted by position.</summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public void Resolve(Span<OwnerReference> references)
    {
        foreach (ref OwnerReference reference in references)
        {
            if (paths.OfSubvolume(reference.Owner.Root) is null)
            {
                (reference.IsThere, reference.Names) = (true, []);
                continue;
            }

            // Items read ahead may be older than what the kernel has just returned.
            reference.IsThere = Find(ref reference) || (!_isFresh && FindAgain(ref reference));
        }
    }

    /// <summary>The path of a subvolume from the top level; null if it is being deleted.</summary>
    public string? SubvolumePath(ulong subvolume)
    {
        if (_named != subvolume)
        {
            (_named, _name) = (subvolume, paths.OfSubvolume(subvolume) is string path ? ToText(path) : null);
        }

        return _name;
    }

    private bool FindAgain(ref OwnerReference reference)
    {
        _subvolume = 0;
        return Find(ref reference);
    }

    private bool Find(ref OwnerReference reference)
    {
        try
        {
            ExtentOwner owner = reference.Owner;
            if (_subvolume != owner.Root || _inode != owner.Inode || _lastNames is null)
            {
                Seek(owner);
            }

            reference.Names = _lastNames!;
            while (_hasItem && IsBefore(owner.Offset))
            {
                _hasItem = _cursor.MoveTo(BtrfsKey.ExtentData, owner.Offset);
            }

            return _hasItem && _cursor.Header.Type == BtrfsKey.ExtentData && _cursor.Header.Offset == owner.Offset &&
                TryRead(ref reference);
        }
        catch (BtrfsException failure) when (failure.Errno == (int)Errno.ENOENT)
        {
            // The subvolume was just deleted.
            return false;
        }
    }

    private bool IsBefore(ulong offset) => _cursor.Header.Type < BtrfsKey.ExtentData ||
        (_cursor.Header.Type == BtrfsKey.ExtentData && _cursor.Header.Offset < offset);

    /// <summary>Moves to a file, and reads its names.</summary>
    private void Seek(in ExtentOwner owner)
    {
        _isFresh = _subvolume == 0;
        if (_subvolume != owner.Root)
        {
            _cursor.Start(_file, _path, owner.Root);
            _isFresh = true;
        }

        (_subvolume, _inode, _lastNames) = (owner.Root, owner.Inode, null);
        _names.Clear();
        _cursor.Seek(owner.Inode);
        for (_hasItem = _cursor.MoveTo(BtrfsKey.InodeRef);
            _hasItem && _cursor.Header.Type <= BtrfsKey.InodeExtendedRef;
            _hasItem = _cursor.MoveNext())
        {
            AddNames(owner.Root);
        }

        _lastNames = [.. _names];
    }

    private void AddNames(ulong subvolume)
    {
        TreeSearchHeader header = _cursor.Header;
        ReadOnlySpan<byte> rest = _cursor.Item;
        while (!rest.IsEmpty)
        {
            if (!InodeItems.TryTakeName(header, ref rest, out ulong directory, out ReadOnlySpan<byte> name))
            {
                throw _cursor.Malformed();
            }

            if (paths.OfDirectory(subvolume, directory) is DirectoryPath found)
            {
                string text = Encoding.Latin1.GetString(name);
                _names.Add(new FileNameInSubvolume(
                    ToText(found.InSubvolume + text), found.Seen is string seen ? ToText(seen + text) : null));
            }
        }
    }

    private bool TryRead(ref OwnerReference reference)
    {
        if (!TreeItems.TryReadFileExtent(_cursor.Item, reference.Owner.Offset, out FileExtent piece))
        {
            throw _cursor.Malformed();
        }

        (reference.Length, reference.ExtentOffset) = (piece.Length, piece.RawExtentOffset);
        return piece.RawDiskOffset == reference.DiskOffset;
    }

    private static string ToText(string latin1) => Utf8Z.ToText(Encoding.Latin1.GetBytes(latin1));
}
