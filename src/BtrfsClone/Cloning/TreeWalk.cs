using System.Runtime.ExceptionServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones what is below one directory. Workers take directories depth-first from one stack; where there are fewer
/// directories than workers, they take turns in listing the same one and clone a batch of entries each. What is kept
/// is one pair for each level and worker and the subdirectory names of one batch, and of those pairs only some stay
/// open: memory and descriptors do not grow with the width of a tree, and with its depth only by a few bytes a level.
/// </summary>
internal sealed unsafe class TreeWalk(CloneSession session, EntryCloner entries, DirectoryCloner directories)
{
    private readonly object _gate = new();
    private readonly List<DirectoryPair> _stack = [];
    private readonly LinkedList<DirectoryPair> _opened = new();
    private readonly List<Thread> _helpers = [];
    private ExceptionDispatchInfo? _error;
    private DirectoryPair? _root;
    private int _live;
    private volatile bool _stop;

    /// <summary>Walks on the calling thread, and on others where there is work for them, until all is done.</summary>
    public void Run(DirectoryPair root, WorkerBuffers buffers)
    {
        _root = root;
        Add(root);
        Work(buffers, isCaller: true);
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _error?.Throw();
    }

    private void Work(WorkerBuffers buffers, bool isCaller)
    {
        while (true)
        {
            DirectoryPair? pair;
            byte[]? subdirectory;
            lock (_gate)
            {
                while (!TryTake(out pair, out subdirectory) && _live > 0 && !isCaller)
                {
                    Monitor.Wait(_gate);
                }

                if (_live == 0)
                {
                    Monitor.PulseAll(_gate);
                    return;
                }

                if (pair is null)
                {
                    Monitor.Wait(_gate, 20);
                }
            }

            try
            {
                if (pair is not null)
                {
                    Do(buffers, pair, subdirectory, isCaller);
                }
                else
                {
                    Pump(isCaller);
                }
            }
            catch (Exception e)
            {
                // The caller's callbacks may end the work; whatever it is, every pair is still finished and closed.
                _error ??= ExceptionDispatchInfo.Capture(e);
                Stop();
            }

            if (pair is not null)
            {
                Release(buffers, pair);
            }
        }
    }

    private void Do(WorkerBuffers buffers, DirectoryPair pair, byte[]? subdirectory, bool isCaller)
    {
        if (_stop || (subdirectory is null && !pair.Listing))
        {
            return;
        }

        if (subdirectory is null)
        {
            CloneBatch(buffers, pair, isCaller);
            return;
        }

        var child = new DirectoryPair(pair, subdirectory, subdirectory);
        Fault fault = directories.Open(buffers, child);
        if (fault.Failed)
        {
            session.Report(fault, pair, subdirectory.AsSpan(0, subdirectory.Length - 1));
        }
        else
        {
            lock (_gate)
            {
                Add(child);
            }
        }

        Pump(isCaller);
    }

    /// <summary>Lists a part of a directory, hands its subdirectories out, and clones its other entries.</summary>
    private void CloneBatch(WorkerBuffers buffers, DirectoryPair pair, bool isCaller)
    {
        byte* start = buffers.Entries;
        int size = Sys.ReadDirectory(pair.Source, start, WorkerBuffers.EntriesSize);
        if (size < 0)
        {
            session.Report(Fault.Source("getdents64", size), pair, []);
        }

        var found = new List<byte[]>();
        for (byte* at = start; at < start + size; at += ((DirectoryEntry*)at)->RecordLength)
        {
            var entry = (DirectoryEntry*)at;
            byte* name = at + DirectoryEntry.NameOffset;
            if (entry->Type == DirectoryEntry.TypeUnknown)
            {
                entry->Type = TypeOf(pair, name);
            }

            if (entry->Type == DirectoryEntry.TypeDirectory && !IsDotOrDotDot(name) &&
                session.IsWanted(name, EntryKind.Directory))
            {
                found.Add(new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1).ToArray());
            }
        }

        Publish(pair, found, size, start);
        for (byte* at = start; at < start + size && !_stop; at += ((DirectoryEntry*)at)->RecordLength)
        {
            var entry = (DirectoryEntry*)at;
            if (entry->Type == DirectoryEntry.TypeDirectory)
            {
                continue;
            }

            byte* name = at + DirectoryEntry.NameOffset;
            if (session.IsWanted(name, KindOf(entry->Type)))
            {
                bool regular = entry->Type == DirectoryEntry.TypeRegular;
                Fault fault = entries.Clone(buffers, pair, name, name, regular);
                if (fault.Failed)
                {
                    session.Report(fault, pair, new ReadOnlySpan<byte>(name, Utf8Z.Length(name)));
                }
            }

            Pump(isCaller);
        }
    }

    private void Publish(DirectoryPair pair, List<byte[]> found, int size, byte* start)
    {
        lock (_gate)
        {
            pair.Listing = false;
            pair.Listed |= size <= 0 || _stop;
            for (byte* at = start; at < start + size; at += ((DirectoryEntry*)at)->RecordLength)
            {
                pair.ListOffset = ((DirectoryEntry*)at)->NextOffset;
            }

            // The stack gives the last one first: keep the order of the directory.
            for (int i = found.Count - 1; i >= 0 && !_stop; i--)
            {
                pair.Subdirectories.Push(found[i]);
            }

            if (pair.HasWork && !pair.Queued)
            {
                pair.Queued = true;
                _stack.Add(pair);
            }

            // One subdirectory is for the worker that found it. More of them, or a listing that goes on, is for others.
            if (found.Count > 1 || size > WorkerBuffers.EntriesSize / 2)
            {
                Share();
            }
        }
    }

    private void Share()
    {
        if (_helpers.Count < session.Workers - 1)
        {
            var helper = new Thread(() =>
            {
                using var buffers = new WorkerBuffers();
                Work(buffers, isCaller: false);
            })
            {
                IsBackground = true,
                Name = "btrfs-clone",
            };
            _helpers.Add(helper);
            helper.Start();
        }

        Monitor.PulseAll(_gate);
    }

    private bool TryTake(out DirectoryPair? pair, out byte[]? subdirectory)
    {
        subdirectory = null;
        pair = null;
        for (int i = _stack.Count - 1; i >= 0; i--)
        {
            DirectoryPair candidate = _stack[i];
            if (_stop)
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

            if (candidate.Subdirectories.Count > 0)
            {
                pair = candidate;
                subdirectory = candidate.Subdirectories.Pop();
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
        pair.Listing |= subdirectory is null && !pair.Listed;
        return true;
    }

    private void Add(DirectoryPair pair)
    {
        pair.Listed = !session.Options.Recurse;
        pair.Queued = true;
        _stack.Add(pair);
        _live++;
        if (pair != _root)
        {
            pair.Parent!.LiveChildren++;
        }

        CountOpen(pair);
    }

    private void CountOpen(DirectoryPair pair)
    {
        pair.OpenNode = _opened.AddLast(pair);
        LinkedListNode<DirectoryPair>? node = _opened.First;
        while (_opened.Count > session.OpenPairs && node is not null)
        {
            DirectoryPair oldest = node.Value;
            node = node.Next;
            if (oldest.ActiveWorkers == 0 && oldest.LiveChildren > 0 && !oldest.Finishing)
            {
                // Its child leads back to it.
                Close(oldest);
            }
        }
    }

    private void Close(DirectoryPair pair)
    {
        if (pair.OpenNode is not null)
        {
            _opened.Remove(pair.OpenNode);
            pair.OpenNode = null;
        }

        pair.Close();
    }

    /// <summary>A worker is done with a pair; the last one finishes it, and so may finish its parents.</summary>
    private void Release(WorkerBuffers buffers, DirectoryPair released)
    {
        DirectoryPair? pair = released;
        while (pair is not null)
        {
            lock (_gate)
            {
                pair.ActiveWorkers--;
                if (_stop)
                {
                    pair.Subdirectories.Clear();
                    pair.Listed = true;
                }

                if (!pair.IsIdle)
                {
                    Monitor.Pulse(_gate);
                    return;
                }

                pair.Finishing = true;
                if (pair != _root)
                {
                    HoldParent(pair.Parent!, pair);
                }
            }

            Fault fault = pair.Lost ? default : DirectoryCloner.Finish(buffers, pair);
            if (fault.Failed)
            {
                session.Report(fault, pair, []);
            }

            pair = Remove(pair);
        }
    }

    private DirectoryPair? Remove(DirectoryPair pair)
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

            pair.Parent!.LiveChildren--;
            return pair.Parent;
        }
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
        session.Report(Fault.Refused(BtrfsError.ChangedMeanwhile, atSource: true), parent, []);
    }

    private void Pump(bool isCaller)
    {
        if (session.Cancellation.IsCancellationRequested)
        {
            Stop();
        }

        if (isCaller && !_stop)
        {
            session.Pump();
        }
    }

    private void Stop()
    {
        _stop = true;
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    private static byte TypeOf(DirectoryPair pair, byte* name)
    {
        if (Sys.StatEntry(pair.Source, name, out Statx status) < 0)
        {
            return DirectoryEntry.TypeRegular;
        }

        // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h).
        return (byte)(status.FileType >> 12);
    }

    private static EntryKind KindOf(byte type) => CloneSession.KindOf((uint)type << 12);

    private static bool IsDotOrDotDot(byte* name) =>
        name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}
