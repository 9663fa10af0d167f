using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Two directories that have the same path relative to the tops of their trees.</summary>
internal sealed class PairNode : WalkNode<PairNode>
{
    private readonly string _referencePath = "";
    private readonly string _path = "";
    private int _paired;

    /// <summary>A node to <see cref="WalkNode{TNode}.Begin"/> with.</summary>
    public PairNode()
    {
    }

    private PairNode(string referencePath, string path) => (_referencePath, _path) = (referencePath, path);

    /// <summary>Negative where the second directory is walked alone.</summary>
    public int Reference { get; set; } = -1;

    public int Directory { get; set; } = -1;

    public Statx ReferenceStatus;

    public Statx DirectoryStatus;

    /// <summary>How many entries of the second directory are known to have one of the same name in the reference.</summary>
    public int Paired => _paired;

    public override bool IsOpen => Directory >= 0;

    public override int Descriptor => Directory;

    /// <summary>Opens the tops of two trees; symbolic links are followed.</summary>
    /// <exception cref="BtrfsException">One of them cannot be opened.</exception>
    public static PairNode OpenTops(string referencePath, string path)
    {
        var tops = new PairNode(referencePath, path);
        try
        {
            tops.Reference = OpenTop(referencePath, out tops.ReferenceStatus);
            tops.Directory = OpenTop(path, out tops.DirectoryStatus);
            return tops;
        }
        catch
        {
            tops.Close();
            throw;
        }
    }

    public void AddPaired() => Interlocked.Increment(ref _paired);

    public override void Begin(PairNode parent, ReadOnlySpan<byte> name)
    {
        base.Begin(parent, name);
        _paired = 0;
    }

    public override void Close()
    {
        if (Reference >= 0)
        {
            Sys.Close(Reference);
        }

        if (Directory >= 0)
        {
            Sys.Close(Directory);
        }

        Reference = Directory = -1;
    }

    public override bool Reopen(PairNode child)
    {
        bool isPair = child.Reference >= 0;
        Reference = isPair ? OpenDirectory.Above(child.Reference, ReferenceStatus) : -1;
        Directory = OpenDirectory.Above(child.Directory, DirectoryStatus);
        if ((isPair && Reference < 0) || Directory < 0 || (!Listed && Sys.Seek(Directory, ListOffset) < 0))
        {
            Close();
            return false;
        }

        return true;
    }

    /// <summary>The path of one of the directories, or of an entry in it.</summary>
    public string PathOf(bool inReference, ReadOnlySpan<byte> entry)
    {
        string directory = PathBelow(node => node.Name, node => inReference ? node._referencePath : node._path);
        return entry.IsEmpty ? directory : Join(directory, Utf8Z.ToText(entry));
    }

    private static int OpenTop(string path, out Statx status)
    {
        int directory = OpenDirectory.At(path);
        if (directory < 0)
        {
            throw BtrfsException.FromErrno(-directory, "openat", path);
        }

        Sys.Stat(directory, out status);
        return directory;
    }
}
