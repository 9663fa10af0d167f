using System.Runtime.InteropServices;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Owning;

/// <summary>
/// Finds the references to data extents: in all subvolumes and snapshots of the filesystem, whether mounted or not. Each extent is
/// looked up once per session. Must be used from one thread at a time.
/// </summary>
/// <remarks>
/// Requires CAP_SYS_ADMIN. A session starts with syncfs(2): data that has not been written to disk has no extent, and until the
/// next commit the trees contain names that have been removed. Memory grows by some 40 bytes per extent, regardless of the number
/// of references.
/// </remarks>
/// <example>
/// <code>
/// using var session = new OwnerSession();
/// foreach (BtrfsExtentOwner owner in session.Read("/srv/disk.img", CancellationToken.None))
/// {
///     Console.WriteLine($"{owner.DiskOffset} {owner.Subvolume} {owner.Path}");
/// }
/// </code>
/// </example>
public sealed class OwnerSession : IDisposable
{
    // The number of references that are looked up together.
    private const int Part = 1 << 14;

    // The first extents of a file are looked up in smaller batches, so that their results are available immediately.
    private const int FirstPart = 1 << 6;

    private readonly OwnerSearch _search = new();
    private readonly ItemSource _items = new();
    private readonly ExtentBatch _batch = new();
    private readonly List<OwnerReference> _references = [];
    private readonly HashSet<(Guid FileSystem, long Extent)> _seen = [];
    private OwnedDescriptor? _file;
    private string _path = "";
    private Guid _fileSystem;
    private ReferenceLookup? _lookup;

    /// <summary>The maximum size of an answer of the kernel in bytes; for tests.</summary>
    internal int LargestAnswer { get; init; } = 16 << 20;

    /// <summary>Finds the owners of all extents of a file, in file order.</summary>
    /// <param name="path">A regular file. A symbolic link is not followed.</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <returns>The owners, read lazily: those of one extent are consecutive, sorted by subvolume, inode and offset.</returns>
    /// <exception cref="BtrfsException">
    /// <see cref="BtrfsError.SourceNotFound"/>; <see cref="BtrfsError.NotRegularFile"/>; <see cref="BtrfsError.NotBtrfs"/>;
    /// <see cref="BtrfsError.PermissionDenied"/>: the file may not be read, or the process lacks CAP_SYS_ADMIN.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public IEnumerable<BtrfsExtentOwner> Read(string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        ulong inode = Open(path);
        return ReadFile(inode, cancellation);
    }

    /// <summary>Finds the owners of one extent.</summary>
    /// <param name="path">A regular file on the same filesystem, such as the one in which the extent was found.</param>
    /// <param name="diskOffset">The start of the extent on disk, in bytes (disk_bytenr).</param>
    /// <param name="diskLength">Its size on disk (disk_num_bytes).</param>
    /// <param name="cancellation">Cancels the operation.</param>
    /// <returns>The owners; none if the extent does not exist, or this session has already looked it up.</returns>
    /// <exception cref="BtrfsException">As for the other overload.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public IEnumerable<BtrfsExtentOwner> Read(
        string path, long diskOffset, long diskLength, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        Open(path);
        return _seen.Add((_fileSystem, diskOffset)) ? ReadExtents([(diskOffset, diskLength)], cancellation) : [];
    }

    /// <summary>Closes the file that was opened last.</summary>
    public void Dispose() => _file?.Dispose();

    private ulong Open(string path)
    {
        // Checked first: opening a device can have side effects.
        CallResult result = Sys.Stat(path, follow: false, out Statx status);
        if (result.Succeeded && status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        Descriptor file = Descriptor.None;
        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        result = result.Failed ? result : Sys.Open(path, flags, out file);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, path);
        }

        _file?.Dispose();
        _file = new OwnedDescriptor(file);
        (_path, SystemCall call) = (path, SystemCall.Statx);
        result = Sys.Stat(file, out status);
        if (result.Succeeded && status.FileType != Sys.ModeRegular)
        {
            throw new BtrfsException(BtrfsError.NotRegularFile, path);
        }

        _search.Start(file, path);
        if (result.Succeeded)
        {
            (result, call) = (_search.Probe(), SystemCall.LogicalIno);
        }

        Guid fileSystem = default;
        if (result.Succeeded)
        {
            (result, call) = (Sys.BtrfsFsid(file, out fileSystem), SystemCall.FsInfo);
        }

        bool isNew = _lookup is null || _fileSystem != fileSystem;
        if (result.Succeeded && isNew)
        {
            // Until the next commit, the trees contain names that have been removed.
            (result, call) = (Sys.SyncFileSystem(file), SystemCall.SyncFs);
        }

        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, path);
        }

        if (isNew)
        {
            _fileSystem = fileSystem;
            _lookup = new ReferenceLookup(new SubvolumePaths(file, path, new VisiblePaths(status.MountId)));
        }

        _lookup!.Start(file, path);
        return status.Inode;
    }

    private IEnumerable<BtrfsExtentOwner> ReadFile(ulong inode, CancellationToken cancellation)
    {
        CallResult result = _items.Start(_file!.Descriptor, _path, inode);
        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, SystemCall.TreeSearch, _path);
        }

        return ReadExtents(Extents(), cancellation);
    }

    /// <summary>The extents of the current file that were not encountered before.</summary>
    private IEnumerable<(long Place, long Length)> Extents()
    {
        for (_batch.Clear(); _items.Fill(_batch); _batch.Clear())
        {
            for (int i = 0; i < _batch.Count; i++)
            {
                long place = _batch[i].RawDiskOffset;
                if (place > 0 && _seen.Add((_fileSystem, place)))
                {
                    yield return (place, _batch[i].RawDiskLength);
                }
            }
        }
    }

    private IEnumerable<BtrfsExtentOwner> ReadExtents(
        IEnumerable<(long Place, long Length)> extents, CancellationToken cancellation)
    {
        int part = FirstPart;
        int order = 0;
        _references.Clear();
        foreach ((long place, long length) in extents)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (ExtentOwner owner in _search.Find(place, LargestAnswer))
            {
                _references.Add(new OwnerReference
                {
                    Order = order,
                    DiskOffset = place,
                    DiskLength = length,
                    Owner = owner,
                });
                if (_references.Count >= Part)
                {
                    cancellation.ThrowIfCancellationRequested();
                    foreach (BtrfsExtentOwner one in Resolve())
                    {
                        yield return one;
                    }
                }
            }

            order++;
            if (_references.Count >= part)
            {
                part = Part;
                foreach (BtrfsExtentOwner one in Resolve())
                {
                    yield return one;
                }
            }
        }

        foreach (BtrfsExtentOwner one in Resolve())
        {
            yield return one;
        }
    }

    private IEnumerable<BtrfsExtentOwner> Resolve()
    {
        _references.Sort(OwnerReference.ByPlace);
        _lookup!.Resolve(CollectionsMarshal.AsSpan(_references));
        _references.Sort(OwnerReference.ByExtent);
        foreach (OwnerReference reference in _references)
        {
            if (reference.IsThere && reference.Names.Count == 0)
            {
                yield return Owner(reference, null);
            }
            else if (reference.IsThere)
            {
                foreach (FileNameInSubvolume name in reference.Names)
                {
                    yield return Owner(reference, name);
                }
            }
        }

        _references.Clear();
    }

    private BtrfsExtentOwner Owner(in OwnerReference reference, FileNameInSubvolume? name) => new()
    {
        DiskOffset = reference.DiskOffset,
        DiskLength = reference.DiskLength,
        Path = name?.Seen,
        Offset = (long)reference.Owner.Offset,
        Length = reference.Length,
        ExtentOffset = reference.ExtentOffset,
        Subvolume = _lookup!.SubvolumePath(reference.Owner.Root),
        SubvolumeId = (long)reference.Owner.Root,
        Inode = (long)reference.Owner.Inode,
        PathInSubvolume = name?.InSubvolume,
        IsDeleted = name is null,
    };
}
