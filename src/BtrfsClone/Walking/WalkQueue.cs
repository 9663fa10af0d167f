using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// The directories that a <see cref="TreeWalk{TNode, TBuffers}"/> is in, and which part of the work a worker does next. Directories
/// are taken depth-first from one stack, and of those that wait for their children only some stay open: memory and
/// descriptors do not grow with the width of a tree, and with its depth only by a few bytes a level. Finished nodes
/// are used again, so that a tree of any size leaves no garbage.
/// </summary>
/// <typeparam name="TNode">The walk's kind of node.</typeparam>
internal sealed class WalkQueue<TNode>
    where TNode : WalkNode<TNode>
{
    private const int PumpMilliseconds = 20;

    private readonly object _gate = new();
    private readonly TNode _root;
    private readonly int _maxOpen;
    private readonly Func<TNode> _newNode;
    private readonly Action<TNode> _onLost;
    private readonly List<TNode> _stack = [];
    private readonly LinkedList<TNode> _opened = new();
    private readonly Stack<TNode> _free = new();
    private int _live;
    private volatile bool _stopped;

    /// <param name="root">The open directory that the walk begins with.</param>
    /// <param name="maxOpen">How many nodes may be open at once, as far as those that are worked in allow.</param>
    /// <param name="newNode">Makes a node to <see cref="WalkNode{TNode}.Begin"/> with.</param>
    /// <param name="onLost">Takes a node that could not be opened again.</param>
    public WalkQueue(TNode root, int maxOpen, Func<TNode> newNode, Action<TNode> onLost)
    {
        (_root, _maxOpen, _newNode, _onLost) = (root, maxOpen, newNode, onLost);
        Add(root);
    }

    public bool IsStopped => _stopped;

    /// <summary>
    /// Waits for work: a child to open in a directory, or else, without a child, a part of the directory to list.
    /// Returns false when all is done. The caller's thread also comes back without work now and then, for its front
    /// end.
    /// </summary>
    public bool Take(bool isCaller, out TNode? node, out TNode? child)
    {
        lock (_gate)
        {
            while (!TryTake(out node, out child) && _live > 0 && !isCaller)
            {
                Monitor.Wait(_gate);
            }

            if (_live == 0)
            {
                Monitor.PulseAll(_gate);
                return false;
            }

            if (node is null)
            {
                Monitor.Wait(_gate, PumpMilliseconds);
            }

            return true;
        }
    }

    public void Add(TNode node)
    {
        lock (_gate)
        {
            node.Queued = true;
            _stack.Add(node);
            _live++;
            if (node != _root)
            {
                node.Parent!.LiveChildren++;
            }

            CountOpen(node);
        }
    }

    /// <summary>
    /// Hands out the subdirectories of a listed part, and the rest of the listing. Returns whether that is enough for
    /// other workers to come.
    /// </summary>
    public bool Publish(TNode node, in DirectoryBatch batch)
    {
        int found = 0;
        lock (_gate)
        {
            node.Listing = false;
            node.Listed |= batch.IsEmpty || _stopped;
            foreach (DirectoryBatch.Entry entry in batch)
            {
                node.ListOffset = entry.NextOffset;
                if (entry.Type == DirectoryEntry.TypeDirectory && !_stopped)
                {
                    found++;
                    node.Subdirectories.Add(entry.Name);
                }
            }

            if (node.HasWork && !node.Queued)
            {
                node.Queued = true;
                _stack.Add(node);
            }

            // One subdirectory is for the worker that found it. More of them, or a listing that goes on, is for others.
            bool forOthers = found > 1 || batch.Size > DirectoryBatch.BufferSize / 2;
            if (forOthers)
            {
                Monitor.PulseAll(_gate);
            }

            return forOthers;
        }
    }

    /// <summary>
    /// A worker is done with its part. Returns whether it was the last one: it then finishes the directory, and
    /// removes it.
    /// </summary>
    public bool Leave(TNode node)
    {
        lock (_gate)
        {
            node.ActiveWorkers--;
            if (_stopped)
            {
                node.Subdirectories.Clear();
                node.Listed = true;
            }

            if (!node.IsIdle)
            {
                Monitor.Pulse(_gate);
                return false;
            }

            node.Finishing = true;
            if (node != _root)
            {
                HoldParent(node.Parent!, node);
            }

            return true;
        }
    }

    /// <summary>Closes a finished directory. Returns its parent, which the worker then leaves too.</summary>
    public TNode? Remove(TNode node)
    {
        lock (_gate)
        {
            Close(node);
            if (--_live == 0)
            {
                Monitor.PulseAll(_gate);
            }

            if (node == _root)
            {
                return null;
            }

            TNode parent = node.Parent!;
            parent.LiveChildren--;
            if (node.Queued)
            {
                _stack.RemoveAt(_stack.LastIndexOf(node));
            }

            Reuse(node);
            return parent;
        }
    }

    /// <summary>Keeps a node that nobody works with any more, unless somebody may ask it for its path.</summary>
    public void Reuse(TNode node)
    {
        lock (_gate)
        {
            if (node.MayBeUsedAgain)
            {
                _free.Push(node);
            }
        }
    }

    public void Stop()
    {
        _stopped = true;
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private bool TryTake(out TNode? node, out TNode? child)
    {
        child = null;
        node = null;
        for (int i = _stack.Count - 1; i >= 0; i--)
        {
            TNode candidate = _stack[i];
            if (_stopped)
            {
                candidate.Subdirectories.Clear();
                candidate.Listed = true;
            }

            if (!candidate.HasWork)
            {
                candidate.Queued = false;
                _stack.RemoveAt(i);
                if (candidate.IsIdle)
                {
                    node = candidate;
                    break;
                }

                continue;
            }

            if (!candidate.IsOpen)
            {
                continue;
            }

            if (!candidate.Subdirectories.IsEmpty)
            {
                node = candidate;
                child = _free.TryPop(out TNode? used) ? used : _newNode();
                child.Begin(candidate, candidate.Subdirectories.Take());
                break;
            }

            // A directory that nobody works in is better than one where workers wait for each other in the kernel.
            if (!candidate.Listing && (candidate.ActiveWorkers == 0 || node is null))
            {
                node = candidate;
                if (candidate.ActiveWorkers == 0)
                {
                    break;
                }
            }
        }

        if (node is null)
        {
            return false;
        }

        node.ActiveWorkers++;
        node.Listing |= child is null && !node.Listed;
        return true;
    }

    private void CountOpen(TNode node)
    {
        _opened.AddLast(node.OpenNode);
        LinkedListNode<TNode>? next = _opened.First;
        while (_opened.Count > _maxOpen && next is not null)
        {
            TNode oldest = next.Value;
            next = next.Next;
            if (oldest.ActiveWorkers == 0 && oldest.LiveChildren > 0 && !oldest.Finishing && oldest.MayBeReopened)
            {
                // Its child leads back to it.
                Close(oldest);
            }
        }
    }

    private void Close(TNode node)
    {
        if (node.OpenNode.List is not null)
        {
            _opened.Remove(node.OpenNode);
        }

        node.Close();
    }

    /// <summary>Before a node is closed, its parent is opened again if it had to be closed, and is kept open.</summary>
    private void HoldParent(TNode parent, TNode node)
    {
        parent.ActiveWorkers++;
        if (parent.IsOpen || parent.Lost)
        {
            return;
        }

        if (!node.Lost && parent.Reopen(node))
        {
            CountOpen(parent);
            return;
        }

        parent.Lost = true;
        parent.Listed = true;
        parent.Subdirectories.Clear();
        _onLost(parent);
    }
}
