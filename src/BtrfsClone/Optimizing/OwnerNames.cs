using BtrfsClone.Interop;
using BtrfsClone.Owning;

namespace BtrfsClone.Optimizing;

/// <summary>Finds names of files with references to extents, wherever they are.</summary>
internal sealed class OwnerNames
{
    private Descriptor _file;
    private string _path = "";

    /// <summary>Starts with any open file on the filesystem.</summary>
    public void Start(Descriptor file, string path) => (_file, _path) = (file, path);

    /// <summary>
    /// The absolute path of a file; if no mount shows it, the path from the filesystem's top level; if it has none, that of the
    /// item.
    /// </summary>
    public string Of(in ExtentOwner owner)
    {
        if (owner.Inode == 0 || Sys.Stat(_file, out Statx status).Failed)
        {
            return _path;
        }

        try
        {
            ReferenceLookup lookup = new(new SubvolumePaths(_file, _path, new VisiblePaths(status.MountId)));
            lookup.Start(_file, _path);
            OwnerReference[] reference = [new OwnerReference { Owner = owner }];
            lookup.Resolve(reference);
            return reference[0].Names is [FileNameInSubvolume name, ..]
                ? name.Seen ?? $"{lookup.SubvolumePath(owner.Root)?.TrimEnd('/')}/{name.InSubvolume}"
                : _path;
        }
        catch (BtrfsException)
        {
            return _path;
        }
    }
}
