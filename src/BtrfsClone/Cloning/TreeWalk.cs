using System.Runtime.ExceptionServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones what is below one directory, on several threads: each takes a directory of its own where there are enough;
/// else they take turns in listing the same one, and clone a part of its entries each.
/// </summary>
internal sealed unsafe class TreeWalk(CloneSession session, EntryCloner entries, DirectoryCloner directories)
{
    private readonly List<Thread> _helpers = [];
    private ExceptionDispatchInfo? _error;
    private WalkQueue _queue = null!;

    /// <summary>Walks on the calling thread, and on others where there is work for them, until all is done.</summary>
    public void Run(DirectoryPair root, WorkerBuffers buffers)
    {
        _queue = new WalkQueue(session, root);
        Work(buffers, isCaller: true);
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _error?.Throw();
    }

    private void Work(WorkerBuffers buffers, bool isCaller)
    {
        while (_queue.Take(isCaller, out DirectoryPair? pair, out DirectoryPair? child))
        {
            try
            {
                if (pair is null)
                {
                    Pump(isCaller);
                }
                else if (child is not null)
                {
                    Enter(buffers, child, isCaller);
                }
                else if (pair.Listing)
                {
                    CloneBatch(buffers, pair, isCaller);
                }
            }
            catch (Exception e)
            {
                // The caller's callbacks may end the work; whatever it is, every pair is still finished and closed.
                _error ??= ExceptionDispatchInfo.Capture(e);
                _queue.Stop();
            }

            // The last worker in a directory finishes it, and so may finish its parents.
            while (pair is not null && _queue.Leave(pair))
            {
                Finish(buffers, pair);
                pair = _queue.Remove(pair);
            }
        }
    }

    private void Enter(WorkerBuffers buffers, DirectoryPair child, bool isCaller)
    {
        if (!_queue.IsStopped)
        {
            Fault fault = directories.Open(buffers, child);
            if (fault.Failed)
            {
                session.Report(fault, child.Parent!, Utf8Z.Span(child.SourceName));
                _queue.Reuse(child);
            }
            else
            {
                _queue.Add(child);
            }
        }

        Pump(isCaller);
    }

    private void Finish(WorkerBuffers buffers, DirectoryPair pair)
    {
        Fault fault = pair.Lost ? default : DirectoryCloner.Finish(buffers, pair);
        if (fault.Failed)
        {
            session.Report(fault, pair, []);
        }
    }

    /// <summary>Lists a part of a directory, hands its subdirectories out, and clones its other entries.</summary>
    private void CloneBatch(WorkerBuffers buffers, DirectoryPair pair, bool isCaller)
    {
        int size = _queue.IsStopped ? 0 : Sys.ReadDirectory(pair.Source, buffers.Entries, WorkerBuffers.EntriesSize);
        if (size < 0)
        {
            session.Report(Fault.Source("getdents64", size), pair, []);
        }

        var batch = new DirectoryBatch(buffers.Entries, size);
        foreach (DirectoryBatch.Entry entry in batch)
        {
            Classify(pair, entry);
        }

        if (_queue.Publish(pair, batch))
        {
            StartHelper();
        }

        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (_queue.IsStopped)
            {
                return;
            }

            if (entry.Type is not (DirectoryEntry.TypeDirectory or DirectoryEntry.TypePassedOver))
            {
                byte* name = entry.NamePointer;
                Fault fault = entries.Clone(buffers, pair, name, name, entry.Type == DirectoryEntry.TypeRegular);
                if (fault.Failed)
                {
                    session.Report(fault, pair, entry.Name);
                }

                Pump(isCaller);
            }
        }
    }

    /// <summary>Finds the type of an entry where the filesystem does not say, and marks what is not to be cloned.</summary>
    private void Classify(DirectoryPair pair, DirectoryBatch.Entry entry)
    {
        if (entry.Type == DirectoryEntry.TypeUnknown)
        {
            // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h). What cannot be asked is
            // left to the clone to report.
            entry.Type = Sys.StatEntry(pair.Source, entry.NamePointer, out Statx status) < 0
                ? DirectoryEntry.TypeRegular
                : (byte)(status.FileType >> 12);
        }

        bool isDirectory = entry.Type == DirectoryEntry.TypeDirectory;
        if ((isDirectory && entry.IsDotOrDotDot) ||
            !session.IsWanted(entry.NamePointer, CloneSession.KindOf((uint)entry.Type << 12)))
        {
            entry.Type = DirectoryEntry.TypePassedOver;
        }
    }

    private void StartHelper()
    {
        lock (_helpers)
        {
            if (_helpers.Count == session.Workers - 1)
            {
                return;
            }

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
    }

    private void Pump(bool isCaller)
    {
        if (session.Cancellation.IsCancellationRequested)
        {
            _queue.Stop();
        }

        if (isCaller && !_queue.IsStopped)
        {
            session.Pump();
        }
    }
}
