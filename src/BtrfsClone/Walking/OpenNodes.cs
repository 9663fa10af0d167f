namespace BtrfsClone.Walking;

/// <summary>
/// The open nodes of a walk, the oldest first. When there are too many, the oldest that nobody is in is closed for a
/// while: its child leads back to it. It is guarded by the walk's lock.
/// </summary>
/// <typeparam name="TNode">The walk's kind of node.</typeparam>
/// <param name="most">How many may be open at once, as far as those that have to stay open allow.</param>
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

    /// <summary>Opens a node again from its child if it was closed, or gives it up for lost.</summary>
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
