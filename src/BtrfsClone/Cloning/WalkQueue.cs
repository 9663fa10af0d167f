using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directories that a <see cref="TreeWalk"/> is in, and which part of the work a worker does next. Directories
/// are taken depth-first from one stack, and of those that wait for their children only some stay open: memory and
/// descriptors do not grow with the width of a tree, and with its depth only by a few bytes a level. Finished pairs
/// are used again, so that a tree of any size leaves no garbage.
/// </summary>
internal sealed class WalkQueue
{
    private const int PumpMilliseconds = 20;

    private readonly object _gate = new();
    private readonly CloneSession _session;
    private readonly DirectoryPair _root;
    private readonly List<DirectoryPair> _stack = [];
    private readonly LinkedList<DirectoryPair> _opened = new();
    private readonly Stack<DirectoryPair> _free = new();
    private int _live;
    private volatile bool _stopped;

    public WalkQueue(CloneSession session, DirectoryPair root)
    {
        _session = session;
        _root = root;
        Add(root);
    }

    public bool IsStopped => _stopped;

    /// <summary>
    /// Waits for work: a child to open in a directory, or else, without a child, a part of the directory to list.
    /// Returns false when all is done. The caller's thread also comes back without work now and then, for its front
    /// end.
    /// </summary>
    public bool Take(bool isCaller, out DirectoryPair? pair, out DirectoryPair? child)
    {
        lock (_gate)
        {
            while (!TryTake(out pair, out child) && _live > 0 && !isCaller)
            {
                Monitor.Wait(_gate);
            }

            if (_live == 0)
            {
                Monitor.PulseAll(_gate);
                return false;
            }

            if (pair is null)
            {
                Monitor.Wait(_gate, PumpMilliseconds);
            }

            return true;
        }
    }

    public void Add(DirectoryPair pair)
    {
        lock (_gate)
        {
            pair.Listed = !_session.Options.Recurse;
            pair.Queued = true;
            _stack.Add(pair);
            _live++;
            if (pair != _root)
            {
                pair.Parent!.LiveChildren++;
            }

            CountOpen(pair);
        }
    }

    /// <summary>
    /// Hands out the subdirectories of a listed part, and the rest of the listing. Returns whether that is enough for
    /// other workers to come.
    /// </summary>
    public bool Publish(DirectoryPair pair, in DirectoryBatch batch)
    {
        int found = 0;
        lock (_gate)
        {
            pair.Listing = false;
            pair.Listed |= batch.IsEmpty || _stopped;
            foreach (DirectoryBatch.Entry entry in batch)
            {
                pair.ListOffset = entry.NextOffset;
                if (entry.Type == DirectoryEntry.TypeDirectory && !_stopped)
                {
                    found++;
                    pair.Subdirectories.Add(entry.Name);
                }
            }

            if (pair.HasWork && !pair.Queued)
            {
                pair.Queued = true;
                _stack.Add(pair);
            }

            // One subdirectory is for the worker that found it. More of them, or a listing that goes on, is for others.
            bool forOthers = found > 1 || batch.Size > WorkerBuffers.EntriesSize / 2;
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
    public bool Leave(DirectoryPair pair)
    {
        lock (_gate)
        {
            pair.ActiveWorkers--;
            if (_stopped)
            {
                pair.Subdirectories.Clear();
                pair.Listed = true;
            }

            if (!pair.IsIdle)
            {
                Monitor.Pulse(_gate);
                return false;
            }

            pair.Finishing = true;
            if (pair != _root)
            {
                HoldParent(pair.Parent!, pair);
            }

            return true;
        }
    }

    /// <summary>Closes a finished directory. Returns its parent, which the worker then leaves too.</summary>
    public DirectoryPair? Remove(DirectoryPair pair)
    {
        lock (_gate)
        {
            Close(pair);
            if (--_live == 0)
            {
                Monitor.PulseAll(_gate);
            }

            if (pair == _root)
            {
                return null;
            }

            DirectoryPair parent = pair.Parent!;
            parent.LiveChildren--;
            if (pair.Queued)
            {
                _stack.RemoveAt(_stack.LastIndexOf(pair));
            }

            Reuse(pair);
            return parent;
        }
    }

    /// <summary>Keeps a pair that nobody works with any more, unless a hard link may ask it for its path.</summary>
    public void Reuse(DirectoryPair pair)
    {
        lock (_gate)
        {
            if (!pair.IsPinned)
            {
                _free.Push(pair);
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

    private bool TryTake(out DirectoryPair? pair, out DirectoryPair? child)
    {
        child = null;
        pair = null;
        for (int i = _stack.Count - 1; i >= 0; i--)
        {
            DirectoryPair candidate = _stack[i];
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
                    pair = candidate;
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
                pair = candidate;
                child = _free.TryPop(out DirectoryPair? used) ? used : new DirectoryPair();
                child.Begin(candidate, candidate.Subdirectories.Take());
                break;
            }

            // A directory that nobody works in is better than one where workers wait for each other in the kernel.
            if (!candidate.Listing && (candidate.ActiveWorkers == 0 || pair is null))
            {
                pair = candidate;
                if (candidate.ActiveWorkers == 0)
                {
                    break;
                }
            }
        }

        if (pair is null)
        {
            return false;
        }

        pair.ActiveWorkers++;
        pair.Listing |= child is null && !pair.Listed;
        return true;
    }

    private void CountOpen(DirectoryPair pair)
    {
        _opened.AddLast(pair.OpenNode);
        LinkedListNode<DirectoryPair>? node = _opened.First;
        while (_opened.Count > _session.OpenPairs && node is not null)
        {
            DirectoryPair oldest = node.Value;
            node = node.Next;
            if (oldest.ActiveWorkers == 0 && oldest.LiveChildren > 0 && !oldest.Finishing && oldest.SourceAbove < 0)
            {
                // Its child leads back to it.
                Close(oldest);
            }
        }
    }

    private void Close(DirectoryPair pair)
    {
        if (pair.OpenNode.List is not null)
        {
            _opened.Remove(pair.OpenNode);
        }

        pair.Close();
    }

    /// <summary>Before a pair is closed, its parent is opened again if it had to be closed, and is kept open.</summary>
    private void HoldParent(DirectoryPair parent, DirectoryPair pair)
    {
        parent.ActiveWorkers++;
        if (parent.IsOpen || parent.Lost)
        {
            return;
        }

        if (!pair.Lost && DirectoryCloner.Reopen(parent, pair))
        {
            CountOpen(parent);
            return;
        }

        parent.Lost = true;
        parent.Listed = true;
        parent.Subdirectories.Clear();
        _session.Report(Fault.Refused(BtrfsError.ChangedMeanwhile, atSource: true), parent, []);
    }
}
