using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// The directories that a <see cref="TreeWalk{TNode, TBuffers}"/> is in, and which part of the work a worker does next. Directories
/// are taken depth-first from one stack, and of those that wait for their children only some stay open: memory and
/// descriptors do not grow with the width of a tree, and with its depth only by a few bytes a level. Finished nodes
/// are used again, so that a tree of any size leaves no garbage.
/// </summary>
/// <remarks>
/// A worker takes a step, does it, and leaves the node: <c>Take</c>, then <c>Publish</c>, <c>Add</c> or
/// <c>GiveBack</c>, then <c>Leave</c> and, where that says so, <c>Remove</c>, and <c>Leave</c> of the parent. Whatever
/// fails in between, the node has to be left. What may throw (for want of memory) changes nothing by it that matters
/// once the walk is stopped; <c>Leave</c> and <c>Remove</c> throw nothing.
/// </remarks>
/// <typeparam name="TNode">The walk's kind of node.</typeparam>
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

    /// <param name="root">The open directory that the walk begins with.</param>
    /// <param name="maxOpen">How many nodes may be open at once, as far as those that are worked in allow.</param>
    /// <param name="newNode">Makes a node to <see cref="WalkNode{TNode}.Begin"/> with.</param>
    public WalkQueue(TNode root, int maxOpen, Func<TNode> newNode)
    {
        (_root, _newNode) = (root, newNode);
        _open = new OpenNodes<TNode>(maxOpen);
        Add(root);
    }

    public bool IsStopped => _stopped;

    /// <summary>
    /// Waits for a step. Only the caller's thread comes back idle now and then, for its front end.
    /// </summary>
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

    /// <summary>The next step, idle where there is none just now.</summary>
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
                    // One that nobody works in is better than one where workers wait for each other in the kernel.
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

    /// <summary>Takes a node that was opened into the walk.</summary>
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

    /// <summary>Closes and keeps a child that is not entered.</summary>
    public void GiveBack(TNode child)
    {
        lock (_gate)
        {
            child.Close();
            Reuse(child);
        }
    }

    /// <summary>
    /// Hands out the subdirectories of a listed part, and the rest of the listing. Returns whether that is enough for
    /// other workers to come.
    /// </summary>
    /// <param name="node">The listed node.</param>
    /// <param name="batch">What was listed.</param>
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

            // One subdirectory is for the worker that found it. More of them, or a listing that goes on, is for others.
            bool forOthers = !_stopped && (found > 1 || batch.Size > DirectoryBatch.BufferSize / 2);
            if (forOthers)
            {
                Monitor.PulseAll(_gate);
            }

            return forOthers;
        }
    }

    /// <summary>
    /// A worker is done with its part. Returns whether it was the last one: it then finishes the directory, or what is
    /// left of a lost one, and removes it. Until then the parent stays open, or is lost.
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

    /// <summary>Closes a finished directory. Returns its parent, which the worker then leaves too.</summary>
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

    /// <summary>Nothing more is begun. What was begun is left, finished and removed as ever.</summary>
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

    /// <summary>Keeps a node that nobody works with any more, unless somebody may ask it for its path.</summary>
    private void Reuse(TNode node)
    {
        if (node.MayBeUsedAgain)
        {
            node.NextFree = _free;
            _free = node;
        }
    }
}
