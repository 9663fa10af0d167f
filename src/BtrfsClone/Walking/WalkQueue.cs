using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// The directories that a <see cref="TreeWalk{TNode, TBuffers}"/> is in, and which part of the work a worker does next. Directories
/// are taken depth-first from one stack, and only some of those that wait for their children stay open: memory and descriptors do
/// not grow with the width of a tree, and with its depth only by a few bytes per level. Finished nodes are reused, so a tree of any
/// size creates no garbage.
/// </summary>
/// <remarks>
/// A worker takes a step, does it, and leaves the node: <c>Take</c>, then <c>Publish</c>, <c>Add</c> or <c>GiveBack</c>, then
/// <c>Leave</c> and, if that returns true, <c>Remove</c>, and <c>Leave</c> of the parent. If anything fails in between, the node
/// still has to be left. A method that throws (out of memory) leaves the state consistent once the walk is stopped; <c>Leave</c>
/// and <c>Remove</c> do not throw.
/// </remarks>
/// <typeparam name="TNode">The walk's type of node.</typeparam>
internal sealed class WalkQueue<TNode>
    where TNode : WalkNode<TNode>
{
    private const int PumpMilliseconds = 20;

    private readonly object _gate = new();
    private readonly TNode _root;
    private readonly Func<TNode> _newNode;
    private readonly List<TNode> _stack = [];
    private readonly OpenNodes<TNode> _open;
    private TNode? _free;
    private int _live;
    private volatile bool _stopped;

    /// <param name="root">The open directory where the walk starts.</param>
    /// <param name="maxOpen">The maximum number of open nodes, which is exceeded if workers are in more of them.</param>
    /// <param name="newNode">Creates a node for <see cref="WalkNode{TNode}.Begin"/>.</param>
    public WalkQueue(TNode root, int maxOpen, Func<TNode> newNode)
    {
        (_root, _newNode) = (root, newNode);
        _open = new OpenNodes<TNode>(maxOpen);
        Add(root);
    }

    public bool IsStopped => _stopped;

    /// <summary>Waits for a step. Only on the caller's thread, it returns from time to time with an idle step, for the front end.</summary>
    public WalkStep<TNode> Take(bool isCaller)
    {
        lock (_gate)
        {
            WalkStep<TNode> step = TryTake();
            while (step.Kind == WalkStepKind.Idle && !isCaller)
            {
                Monitor.Wait(_gate);
                step = TryTake();
            }

            if (step.Kind == WalkStepKind.Idle)
            {
                Monitor.Wait(_gate, PumpMilliseconds);
            }

            return step;
        }
    }

    /// <summary>The next step; idle if there is none at the moment.</summary>
    public WalkStep<TNode> TryTake()
    {
        lock (_gate)
        {
            if (_live == 0)
            {
                return new WalkStep<TNode>(WalkStepKind.Done);
            }

            TNode? toList = null;
            for (int i = _stack.Count - 1; i >= 0; i--)
            {
                TNode node = _stack[i];
                DirectoryWork work = node.Work;
                if (_stopped)
                {
                    work.GiveUp();
                }

                if (!work.HasWork)
                {
                    work.IsQueued = false;
                    _stack.RemoveAt(i);
                    if (!work.HasWorkers && !work.HasChildren)
                    {
                        work.Enter();
                        return new WalkStep<TNode>(WalkStepKind.Leave, node);
                    }
                }
                else if (node.IsOpen && !work.Subdirectories.IsEmpty)
                {
                    TNode child = NewChild(node);
                    work.Enter();
                    return new WalkStep<TNode>(WalkStepKind.Enter, node, child);
                }
                else if (node.IsOpen && !work.IsBeingListed && (!work.HasWorkers || toList is null))
                {
                    // A node without workers is preferred to one whose workers contend in the kernel.
                    toList = node;
                    if (!work.HasWorkers)
                    {
                        break;
                    }
                }
            }

            if (toList is null)
            {
                return new WalkStep<TNode>(WalkStepKind.Idle);
            }

            toList.Work.Enter();
            toList.Work.BeginListing();
            return new WalkStep<TNode>(WalkStepKind.List, toList);
        }
    }

    /// <summary>Adds an opened node to the walk.</summary>
    public void Add(TNode node)
    {
        lock (_gate)
        {
            _stack.Add(node);
            node.Work.IsQueued = true;
            _live++;
            if (node != _root)
            {
                node.Parent!.Work.AddChild(node.LeadsUp);
            }

            _open.Add(node);
        }
    }

    /// <summary>Closes a child that is not entered, and keeps it for reuse.</summary>
    public void GiveBack(TNode child)
    {
        lock (_gate)
        {
            child.Close();
            Reuse(child);
        }
    }

    /// <summary>
    /// Publishes the subdirectories of a listed part, and the rest of the listing. Returns whether there is enough work for further
    /// workers.
    /// </summary>
    /// <param name="node">The listed node.</param>
    /// <param name="batch">The listed entries.</param>
    /// <param name="isWhole">Nothing is missing from it.</param>
    public bool Publish(TNode node, in DirectoryBatch batch, bool isWhole)
    {
        int found = 0;
        lock (_gate)
        {
            DirectoryWork work = node.Work;
            foreach (DirectoryBatch.Entry entry in batch)
            {
                bool isDirectory = entry.Type == DirectoryEntry.TypeDirectory;
                found += isDirectory ? 1 : 0;
                work.AddListed(entry.NextOffset, isDirectory ? entry.Name : default);
            }

            work.EndListing(batch.IsEmpty, isWhole);
            if (_stopped)
            {
                work.GiveUp();
            }

            // One subdirectory is processed by the worker that found it. If there are more, or the listing continues, others can
            // help.
            bool forOthers = !_stopped && (found > 1 || batch.Size > DirectoryBatch.BufferSize / 2);
            if (forOthers)
            {
                Monitor.PulseAll(_gate);
            }

            return forOthers;
        }
    }

    /// <summary>
    /// A worker has done its part. Returns whether it was the last one: it then finishes the directory, or what is left of a lost
    /// one, and removes it. Until then the parent stays open, or is lost.
    /// </summary>
    public bool Leave(TNode node)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                node.Work.GiveUp();
            }

            if (!node.Work.Leave())
            {
                Monitor.Pulse(_gate);
                return false;
            }

            if (node.Work.IsQueued)
            {
                node.Work.IsQueued = false;
                _stack.RemoveAt(_stack.LastIndexOf(node));
            }

            if (node != _root)
            {
                node.Parent!.Work.Enter();
                _open.Reopen(node.Parent, node);
            }

            return true;
        }
    }

    /// <summary>Closes a finished directory. Returns its parent, which the worker then also leaves.</summary>
    public TNode? Remove(TNode node)
    {
        lock (_gate)
        {
            _open.Close(node);
            if (--_live == 0)
            {
                Monitor.PulseAll(_gate);
            }

            if (node == _root)
            {
                return null;
            }

            TNode parent = node.Parent!;
            parent.Work.RemoveChild(node.LeadsUp);
            Reuse(node);
            return parent;
        }
    }

    /// <summary>Nothing more is started. What was started is left, finished and removed as usual.</summary>
    public void Stop()
    {
        _stopped = true;
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private TNode NewChild(TNode parent)
    {
        TNode child = _free ?? _newNode();
        _free = child.NextFree;
        child.NextFree = null;
        child.Begin(parent, parent.Work.Subdirectories.Take());
        return child;
    }

    /// <summary>Keeps a node without workers for reuse, unless its path may still be needed.</summary>
    private void Reuse(TNode node)
    {
        if (node.MayBeUsedAgain)
        {
            node.NextFree = _free;
            _free = node;
        }
    }
}
