namespace BtrfsClone.Walking;

/// <summary>
/// The open nodes of a walk, the oldest first. If there are too many, the oldest one without a worker is closed temporarily: its
/// child leads back to it. It is protected by the walk's lock.
/// </summary>
/// <typeparam name="TNode">The walk's type of node.</typeparam>
/// <param name="most">The maximum number of open nodes, which is exceeded if more have to stay open.</param>
internal sealed class OpenNodes<TNode>(int most)
    where TNode : WalkNode<TNode>
{
    private readonly LinkedList<TNode> _nodes = new();

    /// <summary>Counts a node that was opened.</summary>
    public void Add(TNode node)
    {
        _nodes.AddLast(node.OpenNode);
        LinkedListNode<TNode>? next = _nodes.First;
        while (_nodes.Count > most && next is not null)
        {
            TNode oldest = next.Value;
            next = next.Next;
            if (oldest.Work.MayBeClosed && oldest.MayBeReopened)
            {
                Close(oldest);
            }
        }
    }

    public void Close(TNode node)
    {
        if (node.OpenNode.List is not null)
        {
            _nodes.Remove(node.OpenNode);
        }

        node.Close();
    }

    /// <summary>Opens a closed node again from its child, or marks it as lost.</summary>
    public void Reopen(TNode node, TNode child)
    {
        if (node.IsOpen || node.Work.IsLost)
        {
            return;
        }

        if (!child.Work.IsLost && node.Reopen(child))
        {
            Add(node);
        }
        else
        {
            node.Work.Lose();
        }
    }
}
