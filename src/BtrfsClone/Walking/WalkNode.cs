using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// A directory, or directories that belong together, while a <see cref="TreeWalk{TNode, TBuffers}"/> is in it: its
/// name, and the work that is left in it. What the walk needs to know of it is guarded by the walk's lock.
/// </summary>
/// <typeparam name="TNode">The walk's own kind of node.</typeparam>
internal abstract class WalkNode<TNode>
    where TNode : WalkNode<TNode>
{
    // NAME_MAX of nearly every filesystem (linux/limits.h), with the zero.
    private const int UsualNameSize = 256;

    protected WalkNode() => OpenNode = new LinkedListNode<TNode>((TNode)this);

    public TNode? Parent { get; protected set; }

    /// <summary>The name in the parent, ended by a zero.</summary>
    public byte[] Name { get; protected set; } = [];

    public NameQueue Subdirectories { get; } = new();

    public bool Listed { get; set; }

    public bool Listing { get; set; }

    public bool Queued { get; set; }

    public bool Finishing { get; set; }

    /// <summary>It could not be opened again: its entries are out of reach.</summary>
    public bool Lost { get; set; }

    /// <summary>Its place among the walk's open nodes, in the list while it is open.</summary>
    public LinkedListNode<TNode> OpenNode { get; }

    public int ActiveWorkers { get; set; }

    public int LiveChildren { get; set; }

    /// <summary>Where the listing goes on when the directory had to be closed in between.</summary>
    public long ListOffset { get; set; }

    public bool HasWork => !Listed || !Subdirectories.IsEmpty;

    public bool IsIdle => ActiveWorkers == 0 && LiveChildren == 0 && !HasWork && !Finishing;

    public abstract bool IsOpen { get; }

    /// <summary>The open directory that is listed.</summary>
    public abstract int Descriptor { get; }

    /// <summary>It may be closed for a while, since an open child leads back to it.</summary>
    public virtual bool MayBeReopened => true;

    /// <summary>Nobody asks for its path any more once it is finished, so that it can stand for another directory.</summary>
    public virtual bool MayBeUsedAgain => true;

    public abstract void Close();

    /// <summary>
    /// Opens it again from an open child, and checks that it is the same directory: a child that was moved in the
    /// meantime leads elsewhere. The listing goes on at <see cref="ListOffset"/>.
    /// </summary>
    public abstract bool Reopen(TNode child);

    /// <summary>Makes a new or a finished and closed node stand for another directory.</summary>
    public virtual void Begin(TNode parent, ReadOnlySpan<byte> name)
    {
        Parent = parent;
        if (Name.Length <= name.Length)
        {
            Name = new byte[Math.Max(UsualNameSize, name.Length + 1)];
        }

        name.CopyTo(Name);
        Name[name.Length] = 0;
        Listed = Listing = Queued = Finishing = Lost = false;
        Subdirectories.Clear();
        ActiveWorkers = LiveChildren = 0;
        ListOffset = 0;
    }

    /// <summary>The path of an entry of a directory, for people.</summary>
    protected static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : directory + "/" + name;

    /// <summary>The path for people: the top's, and below it the names of all on the way.</summary>
    protected string PathBelow(Func<TNode, byte[]> name, Func<TNode, string> top)
    {
        var names = new List<byte[]>();
        var node = (TNode)this;
        for (; node.Parent is not null; node = node.Parent)
        {
            names.Add(name(node));
        }

        var path = new StringBuilder(top(node));
        for (int i = names.Count - 1; i >= 0; i--)
        {
            if (path.Length == 0 || path[^1] != '/')
            {
                path.Append('/');
            }

            path.Append(Utf8Z.ToText(Utf8Z.Span(names[i])));
        }

        return path.ToString();
    }
}
