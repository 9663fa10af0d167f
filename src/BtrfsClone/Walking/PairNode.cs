using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>Two directories that have the same path relative to the tops of their trees.</summary>
internal sealed class PairNode : WalkNode<PairNode>
{
    private readonly string _referencePath = "";
    private readonly string _path = "";

    /// <summary>A node to <see cref="WalkNode{TNode}.Begin"/> with.</summary>
    public PairNode()
    {
    }

    /// <summary>The tops of two trees.</summary>
    public PairNode(string referencePath, string path) => (_referencePath, _path) = (referencePath, path);

    public int Reference { get; set; } = -1;

    public int Directory { get; set; } = -1;

    public Statx ReferenceStatus;

    public Statx DirectoryStatus;

    public override bool IsOpen => Directory >= 0;

    public override int Descriptor => Directory;

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
        Reference = OpenDirectory.Above(child.Reference, ReferenceStatus);
        Directory = OpenDirectory.Above(child.Directory, DirectoryStatus);
        if (Reference < 0 || Directory < 0 || (!Listed && Sys.Seek(Directory, ListOffset) < 0))
        {
            Close();
            return false;
        }

        return true;
    }

    /// <summary>The path of one of the directories, or of an entry in it.</summary>
    public string PathOf(bool inReference, ReadOnlySpan<byte> entry)
    {
        var names = new List<byte[]>();
        PairNode node = this;
        for (; node.Parent is not null; node = node.Parent)
        {
            names.Add(node.Name);
        }

        var path = new StringBuilder(inReference ? node._referencePath : node._path);
        for (int i = names.Count - 1; i >= 0; i--)
        {
            Append(path, Utf8Z.Span(names[i]));
        }

        return Append(path, entry).ToString();
    }

    private static StringBuilder Append(StringBuilder path, ReadOnlySpan<byte> name)
    {
        if (!name.IsEmpty)
        {
            if (path.Length > 0 && path[^1] != '/')
            {
                path.Append('/');
            }

            path.Append(Utf8Z.ToText(name));
        }

        return path;
    }
}
