using System.Runtime.ExceptionServices;
using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Walks what is below one directory, on several threads: each takes a directory of its own where there are enough;
/// else they take turns in listing the same one, and work on a part of its entries each.
/// </summary>
/// <typeparam name="TNode">What is known of a directory that the walk is in.</typeparam>
/// <typeparam name="TBuffers">The memory of one worker.</typeparam>
internal abstract unsafe class TreeWalk<TNode, TBuffers>
    where TNode : WalkNode<TNode>
    where TBuffers : class, IWalkBuffers
{
    private readonly int _workers;
    private readonly int _maxOpen;
    private readonly CancellationToken _cancellation;
    private readonly List<Thread> _helpers = [];
    private bool _noMoreHelpers;
    private ExceptionDispatchInfo? _error;
    private WalkQueue<TNode> _queue = null!;

    /// <param name="workers">How many threads may work, the calling one included.</param>
    /// <param name="maxOpen">How many nodes may be open at once.</param>
    /// <param name="cancellation">Ends the walk between two entries, without an exception.</param>
    protected TreeWalk(int workers, int maxOpen, CancellationToken cancellation)
    {
        _workers = workers;
        _maxOpen = maxOpen;
        _cancellation = cancellation;
    }

    /// <summary>Nothing more is to be begun.</summary>
    protected bool IsStopped => _queue.IsStopped;

    /// <summary>Walks on the calling thread, and on others where there is work for them, until all is done.</summary>
    /// <param name="root">The open directory to begin with. It is closed at the end.</param>
    /// <param name="buffers">The calling thread's memory.</param>
    public void Run(TNode root, TBuffers buffers)
    {
        _queue = new WalkQueue<TNode>(root, _maxOpen, NewNode, ReportLost);
        Work(buffers, isCaller: true);
        foreach (Thread helper in _helpers)
        {
            helper.Join();
        }

        _error?.Throw();
    }

    protected abstract TNode NewNode();

    protected abstract TBuffers NewBuffers();

    /// <summary>Opens a node whose parent is open. What fails is reported there, and closed, and false.</summary>
    protected abstract bool Open(TBuffers buffers, TNode node);

    /// <summary>Whether a listed entry is wanted at all; a directory that is not is not entered.</summary>
    protected virtual bool IsWanted(DirectoryBatch.Entry entry) => true;

    /// <summary>
    /// Works on the listed entries of a directory; those of type <see cref="DirectoryEntry.TypeDirectory"/> are
    /// entered by others, and those of type <see cref="DirectoryEntry.TypePassedOver"/> are not wanted. Ends early once
    /// <see cref="IsStopped"/>, and calls <see cref="Pump"/> now and then.
    /// </summary>
    protected abstract void Visit(TBuffers buffers, TNode node, in DirectoryBatch batch, bool isCaller);

    /// <summary>Is called after the last entry of a directory and of all below it, while it is open.</summary>
    protected abstract void Finish(TBuffers buffers, TNode node);

    /// <summary>A directory could not be listed; getdents64(2) has given a negative errno.</summary>
    protected abstract void ReportUnlisted(TNode node, int result);

    /// <summary>A directory could not be opened again.</summary>
    protected abstract void ReportLost(TNode node);

    /// <summary>Lets the front end work, on the calling thread.</summary>
    protected abstract void PumpCaller();

    protected void Pump(bool isCaller)
    {
        if (_cancellation.IsCancellationRequested)
        {
            _queue.Stop();
        }

        if (isCaller && !_queue.IsStopped)
        {
            PumpCaller();
        }
    }

    private void Work(TBuffers buffers, bool isCaller)
    {
        while (_queue.Take(isCaller, out TNode? node, out TNode? child))
        {
            try
            {
                if (node is null)
                {
                    Pump(isCaller);
                }
                else if (child is not null)
                {
                    Enter(buffers, child, isCaller);
                }
                else if (node.Listing)
                {
                    List(buffers, node, isCaller);
                }
            }
            catch (Exception e)
            {
                // The caller's callbacks may end the work; whatever it is, every node is still finished and closed.
                _error ??= ExceptionDispatchInfo.Capture(e);
                _queue.Stop();
            }

            // The last worker in a directory finishes it, and so may finish its parents.
            while (node is not null && _queue.Leave(node))
            {
                if (!node.Lost)
                {
                    Finish(buffers, node);
                }

                node = _queue.Remove(node);
            }
        }
    }

    private void Enter(TBuffers buffers, TNode child, bool isCaller)
    {
        if (!_queue.IsStopped)
        {
            if (Open(buffers, child))
            {
                _queue.Add(child);
            }
            else
            {
                _queue.Reuse(child);
            }
        }

        Pump(isCaller);
    }

    /// <summary>Lists a part of a directory, hands its subdirectories out, and works on its other entries.</summary>
    private void List(TBuffers buffers, TNode node, bool isCaller)
    {
        int size = _queue.IsStopped
            ? 0
            : Sys.ReadDirectory(node.Descriptor, buffers.Entries, DirectoryBatch.BufferSize);
        if (size < 0)
        {
            ReportUnlisted(node, size);
        }

        var batch = new DirectoryBatch(buffers.Entries, size);
        foreach (DirectoryBatch.Entry entry in batch)
        {
            Classify(node, entry);
        }

        if (_queue.Publish(node, batch))
        {
            StartHelper();
        }

        Visit(buffers, node, batch, isCaller);
    }

    /// <summary>Finds the type of an entry where the filesystem does not say, and marks what is passed over.</summary>
    private void Classify(TNode node, DirectoryBatch.Entry entry)
    {
        if (entry.Type == DirectoryEntry.TypeUnknown)
        {
            // The type of an entry is the type bits of its mode, shifted (linux/fs_types.h). What cannot be asked is
            // left to the visit to report.
            entry.Type = Sys.StatEntry(node.Descriptor, entry.NamePointer, out Statx status) < 0
                ? DirectoryEntry.TypeRegular
                : (byte)(status.FileType >> 12);
        }

        bool isDirectory = entry.Type == DirectoryEntry.TypeDirectory;
        if ((isDirectory && entry.IsDotOrDotDot) || !IsWanted(entry))
        {
            entry.Type = DirectoryEntry.TypePassedOver;
        }
    }

    private void StartHelper()
    {
        lock (_helpers)
        {
            if (_noMoreHelpers || _helpers.Count == _workers - 1)
            {
                return;
            }

            var helper = new Thread(() =>
            {
                using TBuffers buffers = NewBuffers();
                Work(buffers, isCaller: false);
            })
            {
                IsBackground = true,
                Name = "btrfs-clone",
            };
            try
            {
                helper.Start();
                _helpers.Add(helper);
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                // The system gives no more threads (RLIMIT_NPROC, a cgroup's pids.max): those that are there do it all.
                _noMoreHelpers = true;
            }
        }
    }
}

/// <summary>The memory that one worker of a walk needs, allocated once.</summary>
internal unsafe interface IWalkBuffers : IDisposable
{
    /// <summary><see cref="DirectoryBatch.BufferSize"/> bytes for a part of a listing.</summary>
    byte* Entries { get; }
}
