namespace BtrfsClone.Walking;

/// <summary>What a worker of a walk does next.</summary>
internal enum WalkStepKind
{
    /// <summary>Nothing just now: others may find more. The caller's thread lets its front end work.</summary>
    Idle,

    /// <summary>Open a directory that was found below the node.</summary>
    Enter,

    /// <summary>List a part of the node.</summary>
    List,

    /// <summary>Nothing is left in the node, and nobody was there to see it: leave it, and so finish it.</summary>
    Leave,

    /// <summary>The walk is over.</summary>
    Done,
}

/// <summary>A step of a walk. Whoever takes one with a node works in that node until leaving it.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Node">The node to do it in; none when idle or done.</param>
/// <param name="Child">The node to open, with its name; only of <see cref="WalkStepKind.Enter"/>.</param>
internal readonly record struct WalkStep<TNode>(WalkStepKind Kind, TNode? Node = null, TNode? Child = null)
    where TNode : WalkNode<TNode>;
