namespace BtrfsClone.Walking;

/// <summary>The next action of a worker of a walk.</summary>
internal enum WalkStepKind
{
    /// <summary>Nothing at the moment: others may find more. The caller's thread lets its front end work.</summary>
    Idle,

    /// <summary>Open a directory that was found below the node.</summary>
    Enter,

    /// <summary>List a part of the node.</summary>
    List,

    /// <summary>No work is left in the node, and no worker was in it to notice: leave it, and so finish it.</summary>
    Leave,

    /// <summary>The walk has ended.</summary>
    Done,
}

/// <summary>A step of a walk. The worker that takes one with a node is in that node until it leaves it.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Node">The node; none when idle or done.</param>
/// <param name="Child">The node to open, with its name; only for <see cref="WalkStepKind.Enter"/>.</param>
internal readonly record struct WalkStep<TNode>(WalkStepKind Kind, TNode? Node = null, TNode? Child = null)
    where TNode : WalkNode<TNode>;
