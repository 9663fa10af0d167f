using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>A simulated worker of a <see cref="WalkModel"/>, and how far it is with its step.</summary>
internal sealed class ModelWorker
{
    public WalkStep<ModelNode> Step { get; set; }

    public ModelNode? Leaving { get; set; }

    public ModelNode? Finishing { get; set; }

    public bool IsDone { get; set; }

    /// <summary>The node that it is in.</summary>
    public ModelNode? Holds => Finishing ?? Leaving ?? Step.Node;
}
