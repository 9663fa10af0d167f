using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Walks everything below one directory, on several threads: each processes a directory of its own if there are enough; otherwise
/// they take turns listing the same one, and each processes a part of its entries.
/// </summary>
/// <typeparam name="TNode">The data about a directory that the walk is in.</typeparam>
/// <typeparam name="TBuffers">The buffers of one worker.</typeparam>
internal abstract unsafe class TreeWalk<TNode, TBuffers>
    where TNode : WalkNode<TNode>
    where TBuffers : class, IWalkBuffers
{
    private readonly int _maxOpen;
    private readonly CancellationToken _cancellation;
    private readonly HelperThreads _helpers;
    private readonly FirstError _error = new();
    private WalkQueue<TNode> _queue = null!;

    /// <param name="workers">The maximum number of threads, including the calling one.</param>
    /// <param name="maxOpen">The maximum number of open nodes.</param>
    /// <param name="cancellation">Cancels the walk between two entries, without an exception.</param>
    protected TreeWalk(int workers, int maxOpen, CancellationToken cancellation)
    {
        _maxOpen = maxOpen;
        _cancellation = cancellation;
        _helpers = new HelperThreads(workers - 1, Help);
    }

    /// <summary>Nothing more is to be started.</summary>
    protected bool IsStopped => _queue.IsStopped;

    /// <summary>
    /// Walks on the calling thread, and on others if there is work for them, until everything is done. The first exception from one
    /// of the methods below, on any thread, stops the walk, and is rethrown once every node is finished and closed and the threads
    /// have ended.
    /// </summary>
    /// <param name="root">The open directory where the walk starts. It is closed at the end.</param>
    /// <param name="buffers">The calling thread's buffers.</param>
    public void Run(TNode root, TBuffers buffers)
    {
        try
        {
            _queue = new WalkQueue<TNode>(root, _maxOpen, NewNode);
        }
        catch
        {
            root.Close();
            throw;
        }

        Work(buffers, isCaller: true);
        _helpers.Join();
        _error.Throw();
    }

    protected abstract TNode NewNode();

    protected abstract TBuffers NewBuffers();

    /// <summary>
    /// Opens a node whose parent is open. A failure is reported by this method, which then returns false; the walk closes the node.
    /// </summary>
    protected abstract bool Open(TBuffers buffers, TNode node);

    /// <summary>The type to use for an entry, a DT_* value.</summary>
    protected virtual byte TypeOf(TNode node, DirectoryBatch.Entry entry) => EntryType.Of(node.Descriptor, entry);

    /// <summary>Whether a listed entry is included; an excluded directory is not entered.</summary>
    protected virtual bool IsWanted(TNode node, DirectoryBatch.Entry entry) => true;

    /// <summary>
    /// Processes the listed entries of a directory; those of type <see cref="DirectoryEntry.TypeDirectory"/> are entered
    /// separately, and those of type <see cref="DirectoryEntry.TypePassedOver"/> are excluded. Returns early once
    /// <see cref="IsStopped"/>, and calls <see cref="Pump"/> from time to time.
    /// </summary>
    protected abstract void Visit(TBuffers buffers, TNode node, in DirectoryBatch batch, bool isCaller);

    /// <summary>
    /// Called after the last entry of a directory and everything below it, while it is open; also for a directory that a stopped
    /// walk is still in.
    /// </summary>
    protected abstract void Finish(TBuffers buffers, TNode node);

    /// <summary>
    /// A directory could not be listed, or not completely: the result of getdents64(2). It is finished nevertheless, and is not
    /// <see cref="DirectoryWork.IsWhole"/>.
    /// </summary>
    protected abstract void ReportUnlisted(TNode node, CallResult result);

    /// <summary>A directory that was closed temporarily could not be opened again. Called instead of <see cref="Finish"/>.</summary>
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

    /// <summary>The main function of a helper thread.</summary>
    private void Help()
    {
        try
        {
            if (TryNewBuffers() is { } buffers)
            {
                using (buffers)
                {
                    Work(buffers, isCaller: false);
                }
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Returns null if there is no memory for another worker: the existing ones do all the work.</summary>
    private TBuffers? TryNewBuffers()
    {
        try
        {
            return NewBuffers();
        }
        catch (OutOfMemoryException)
        {
            _helpers.Refuse();
            return null;
        }
    }

    private void Work(TBuffers buffers, bool isCaller)
    {
        WalkStepKind kind = WalkStepKind.Idle;
        while (kind != WalkStepKind.Done)
        {
            TNode? node = null;
            try
            {
                WalkStep<TNode> step = _queue.Take(isCaller);
                (kind, node) = (step.Kind, step.Node);
                Do(buffers, step, isCaller);
            }
            catch (Exception e)
            {
                Fail(e);
            }

            // The last worker in a directory finishes it, and then possibly its parents.
            while (node is not null && _queue.Leave(node))
            {
                End(buffers, node);
                node = _queue.Remove(node);
            }
        }
    }

    private void Do(TBuffers buffers, in WalkStep<TNode> step, bool isCaller)
    {
        switch (step.Kind)
        {
            case WalkStepKind.Idle:
                Pump(isCaller);
                break;
            case WalkStepKind.Enter:
                Enter(buffers, step.Child!);
                Pump(isCaller);
                break;
            case WalkStepKind.List:
                List(buffers, step.Node!, isCaller);
                break;
        }
    }

    /// <summary>The caller's callbacks may throw any exception; every node is still finished and closed.</summary>
    private void Fail(Exception e)
    {
        _error.Keep(e);
        _queue.Stop();
    }

    private void End(TBuffers buffers, TNode node)
    {
        try
        {
            if (node.Work.IsLost)
            {
                ReportLost(node);
            }
            else
            {
                Finish(buffers, node);
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Enter(TBuffers buffers, TNode child)
    {
        bool isAdded = false;
        try
        {
            if (!_queue.IsStopped && Open(buffers, child))
            {
                _queue.Add(child);
                isAdded = true;
            }
        }
        finally
        {
            if (!isAdded)
            {
                _queue.GiveBack(child);
            }
        }
    }

    /// <summary>Lists a part of a directory, publishes its subdirectories, and processes its other entries.</summary>
    private void List(TBuffers buffers, TNode node, bool isCaller)
    {
        CallResult result = _queue.IsStopped
            ? CallResult.Success
            : Sys.ReadDirectory(node.Descriptor, buffers.Entries, DirectoryBatch.BufferSize);
        var batch = new DirectoryBatch(buffers.Entries, (int)result.Value);
        DirectoryBatch.Enumerator entries = batch.GetEnumerator();
        while (entries.MoveNext())
        {
            Classify(node, entries.Current);
        }

        if (!entries.IsAtEnd)
        {
            result = Errno.EPROTO; // A record that is not within the buffer: others may be hidden.
        }

        if (_queue.Publish(node, batch, isWhole: result.Succeeded))
        {
            _helpers.StartOne();
        }

        if (result.Failed)
        {
            ReportUnlisted(node, result);
        }

        Visit(buffers, node, batch, isCaller);
    }

    /// <summary>Determines the type of an entry if the filesystem does not report it, and marks excluded ones.</summary>
    private void Classify(TNode node, DirectoryBatch.Entry entry)
    {
        entry.Type = TypeOf(node, entry);
        bool isDirectory = entry.Type == DirectoryEntry.TypeDirectory;
        if ((isDirectory && entry.IsDotOrDotDot) || !IsWanted(node, entry))
        {
            entry.Type = DirectoryEntry.TypePassedOver;
        }
    }
}
