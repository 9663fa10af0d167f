using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>A directory whose files are searched.</summary>
internal sealed class FoundDirectory : WalkNode<FoundDirectory>
{
    private readonly string? _path;
    private Descriptor _descriptor;

    /// <summary>Creates an empty node.</summary>
    public FoundDirectory()
    {
    }

    /// <summary>The directory where the walk starts.</summary>
    public FoundDirectory(string path, Descriptor descriptor, in Statx status, int tree, long nameInTable) =>
        (_path, _descriptor, Status, Tree, NameInTable) = (path, descriptor, status, tree, nameInTable);

    public Statx Status;

    /// <summary>The number of its tree in the search.</summary>
    public int Tree { get; set; }

    /// <summary>The position of its name in the <see cref="FileTable"/>.</summary>
    public long NameInTable { get; set; }

    public override bool IsOpen => _descriptor.IsOpen;

    public override Descriptor Descriptor => _descriptor;

    public string Path => PathBelow(_ => _.Name, _ => _._path!);

    public void Take(Descriptor descriptor) => _descriptor = descriptor;

    public override void Close()
    {
        Sys.Close(_descriptor);
        _descriptor = Interop.Descriptor.None;
    }

    protected override bool OpenAgain(FoundDirectory child) =>
        OpenDirectory.Above(child._descriptor, Status, out _descriptor).Succeeded;
}
