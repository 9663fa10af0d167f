using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// A directory, or directories that belong together, while a <see cref="TreeWalk{TNode, TBuffers}"/> is in it: its name, how it is
/// opened and closed, and its remaining work.
/// </summary>
/// <remarks>
/// <see cref="Close"/>, <see cref="OpenAgain"/> and <see cref="ListOnAt"/> are called under the walk's lock. They make system calls
/// and do not throw.
/// </remarks>
/// <typeparam name="TNode">The walk's own type of node.</typeparam>
internal abstract class WalkNode<TNode>
    where TNode : WalkNode<TNode>
{
    // NAME_MAX of nearly every filesystem (linux/limits.h), with the terminating null.
    private const int UsualNameSize = 256;

    protected WalkNode() => OpenNode = new LinkedListNode<TNode>((TNode)this);

    public TNode? Parent { get; protected set; }

    /// <summary>The name in the parent, null-terminated.</summary>
    public byte[] Name { get; protected set; } = [];

    public DirectoryWork Work { get; } = new();

    /// <summary>Its position among the walk's open nodes, in the list while it is open.</summary>
    public LinkedListNode<TNode> OpenNode { get; }

    /// <summary>The next in the list of nodes that can be reused.</summary>
    public TNode? NextFree { get; set; }

    public abstract bool IsOpen { get; }

    /// <summary>The open directory that is listed.</summary>
    public abstract Descriptor Descriptor { get; }

    /// <summary>Whether it may be closed temporarily, as far as it is itself concerned.</summary>
    public virtual bool MayBeReopened => true;

    /// <summary>Its parent can be opened again from it. Does not change while it is in the walk.</summary>
    public virtual bool LeadsUp => true;

    /// <summary>Its path is not needed any more once it is finished, so it can be reused for another directory.</summary>
    public virtual bool MayBeUsedAgain => true;

    /// <summary>Closes its descriptors; may be called more than once.</summary>
    public abstract void Close();

    /// <summary>
    /// Opens it again from an open child, where the listing continues. False if this is not possible, or if it is another
    /// directory: a child that was moved in the meantime leads elsewhere.
    /// </summary>
    public bool Reopen(TNode child)
    {
        if (OpenAgain(child) && (Work.IsListed || ListOnAt(Work.ListOffset)))
        {
            return true;
        }

        Close();
        return false;
    }

    /// <summary>Initializes a new or a finished and closed node for another directory.</summary>
    public virtual void Begin(TNode parent, ReadOnlySpan<byte> name)
    {
        Parent = parent;
        if (Name.Length <= name.Length)
        {
            Name = new byte[Math.Max(UsualNameSize, name.Length + 1)];
        }

        name.CopyTo(Name);
        Name[name.Length] = 0;
        Work.Begin();
    }

    /// <summary>The names on the path down to an entry of this directory.</summary>
    /// <param name="top">The directory where the path starts, which is this one or one of its parents.</param>
    /// <param name="topName">The name to use for the top directory.</param>
    /// <param name="entry">The entry's name.</param>
    public string[] NamesTo(TNode top, string topName, ReadOnlySpan<byte> entry)
    {
        int depth = 2;
        for (WalkNode<TNode> node = this; node != top; node = node.Parent!)
        {
            depth++;
        }

        string[] names = new string[depth];
        names[--depth] = Utf8Z.ToText(entry);
        for (WalkNode<TNode> node = this; node != top; node = node.Parent!)
        {
            names[--depth] = Utf8Z.ToText(Utf8Z.Span(node.Name));
        }

        names[0] = topName;
        return names;
    }

    /// <summary>Opens all of it from an open child. After a failure, the walk closes what is open.</summary>
    protected abstract bool OpenAgain(TNode child);

    /// <summary>Makes the listing continue at an offset.</summary>
    protected virtual bool ListOnAt(long offset) => Sys.Seek(Descriptor, offset).Succeeded;

    /// <summary>The path of an entry of a directory, for display.</summary>
    protected static string Join(string directory, string name) =>
        directory.EndsWith('/') ? directory + name : directory + "/" + name;

    /// <summary>The path for display: the top directory's, followed by the names of all directories below it.</summary>
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
