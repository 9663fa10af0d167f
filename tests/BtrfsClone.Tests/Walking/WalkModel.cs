using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>A tree that is nowhere but here, and simulated workers that walk it by a <see cref="WalkQueue{TNode}"/>.</summary>
internal sealed unsafe class WalkModel(int seed) : IDisposable
{
    private const int NamesAPart = 3;

    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(4096);
    private readonly List<ModelDirectory> _directories = [];
    private readonly List<ModelNode> _nodes = [];
    private readonly List<ModelWorker> _workers = [];
    private WalkQueue<ModelNode> _queue = null!;

    public Random Random { get; } = new(seed);

    public int MaxOpen { get; init; } = 100;

    public double FailureRate { get; init; }

    public double LossRate { get; init; }

    public double StopRate { get; init; }

    public double ThrowRate { get; init; }

    public bool PassesOverRoot { get; init; }

    private bool Stopped => _queue.IsStopped;

    public void Dispose() => NativeMemory.Free(_buffer);

    public void Run()
    {
        ModelDirectory top = Grow(null, depth: 0);
        var root = new ModelNode(this);
        _nodes.Add(root);
        root.Stand(top);
        root.Open();
        if (PassesOverRoot)
        {
            root.Work.PassOver();
        }

        _queue = new WalkQueue<ModelNode>(root, MaxOpen, NewNode);
        top.Entered++;
        for (int i = Random.Next(1, 5); i > 0; i--)
        {
            _workers.Add(new ModelWorker());
        }

        while (_workers.Exists(worker => !worker.IsDone))
        {
            if (Happens(StopRate))
            {
                _queue.Stop();
            }

            ModelWorker worker = _workers[Random.Next(_workers.Count)];
            if (!worker.IsDone)
            {
                Advance(worker);
            }
        }

        CheckEnd(top);
    }

    private ModelDirectory Grow(ModelDirectory? parent, int depth)
    {
        var directory = new ModelDirectory(parent, $"d{_directories.Count}");
        _directories.Add(directory);
        int most = depth > 8 ? 0 : Random.Next(6);
        for (int i = 0; i < most && _directories.Count < 60; i++)
        {
            directory.Children.Add(Grow(directory, depth + 1));
        }

        return directory;
    }

    private ModelNode NewNode()
    {
        ThrowSometimes();
        var node = new ModelNode(this);
        _nodes.Add(node);
        return node;
    }

    public bool Happens(double rate) => rate > 0 && Random.NextDouble() < rate;

    public void ThrowSometimes()
    {
        if (Happens(ThrowRate))
        {
            throw new ThrownException();
        }
    }

    /// <summary>One worker goes on by as little as the others can see, as a walk's worker does.</summary>
    private void Advance(ModelWorker worker)
    {
        try
        {
            if (worker.Finishing is not null)
            {
                EndFinishing(worker);
            }
            else if (worker.Leaving is not null)
            {
                Leave(worker);
            }
            else if (worker.Step.Kind == WalkStepKind.Idle)
            {
                Take(worker);
            }
            else
            {
                Do(worker);
            }
        }
        catch (ThrownException)
        {
            _queue.Stop();
            worker.Leaving ??= worker.Finishing is null ? worker.Step.Node : null;
            worker.Step = default;
        }
    }

    private void Take(ModelWorker worker)
    {
        bool othersWork = _workers.Exists(other => other != worker && !other.IsDone && other.Holds is not null);
        worker.Step = _queue.TryTake();
        Assert.True(worker.Step.Kind != WalkStepKind.Idle || othersWork, "Nobody works, and there is nothing to do.");
        if (worker.Step.Kind == WalkStepKind.Done)
        {
            Assert.False(othersWork);
            worker.IsDone = true;
        }
        else if (worker.Step.Node is { } node)
        {
            Assert.Equal(0, node.Directory.Finished);
            Assert.True(node.IsOpen || node.Work.IsLost);
            Assert.Equal(worker.Step.Kind == WalkStepKind.Enter, worker.Step.Child is not null);
            if (worker.Step.Kind == WalkStepKind.List)
            {
                Assert.False(node.Directory.IsBeingListed);
                node.Directory.IsBeingListed = true;
            }
        }
    }

    private void Do(ModelWorker worker)
    {
        ModelNode node = worker.Step.Node!;
        switch (worker.Step.Kind)
        {
            case WalkStepKind.Enter:
                Enter(worker.Step.Child!, node);
                break;
            case WalkStepKind.List:
                List(node);
                break;
        }

        worker.Leaving = node;
        worker.Step = default;
    }

    private void Enter(ModelNode child, ModelNode parent)
    {
        Assert.Same(parent, child.Parent);
        Assert.True(parent.IsOpen);
        bool isAdded = false;
        try
        {
            if (!Stopped && !Happens(FailureRate))
            {
                child.Open();
                ThrowSometimes();
                child.Directory.Entered++;
                _queue.Add(child);
                isAdded = true;
                CheckOpen();
            }
            else
            {
                child.Directory.Failed = true;
            }
        }
        finally
        {
            if (!isAdded)
            {
                child.IsGivenBack = true;
                _queue.GiveBack(child);
            }
        }
    }

    private void List(ModelNode node)
    {
        ModelDirectory directory = node.Directory;
        Assert.True(node.IsOpen);
        ThrowSometimes();
        bool fails = Happens(FailureRate);
        int count = Stopped || fails ? 0 : Math.Min(NamesAPart, directory.Children.Count - directory.Listed);
        directory.Failed |= fails;
        int size = 0;
        for (int i = 0; i < count; i++)
        {
            size += Write(_buffer + size, directory.Children[directory.Listed].Name, ++directory.Listed);
        }

        directory.ListedToEnd |= size == 0;
        directory.IsBeingListed = false;
        _queue.Publish(node, new DirectoryBatch(_buffer, size), isWhole: !fails);
        ThrowSometimes(); // As a visit does.
    }

    private static int Write(byte* record, string name, int nextOffset)
    {
        int size = DirectoryEntry.NameOffset + name.Length + 1;
        *(DirectoryEntry*)record = new DirectoryEntry
        {
            NextOffset = nextOffset,
            RecordLength = (ushort)size,
            Type = DirectoryEntry.TypeDirectory,
        };
        Utf8Z.Write(name, new Span<byte>(record + DirectoryEntry.NameOffset, name.Length + 1));
        return size;
    }

    private void Leave(ModelWorker worker)
    {
        ModelNode node = worker.Leaving!;
        worker.Leaving = null;
        if (!_queue.Leave(node))
        {
            return;
        }

        worker.Finishing = node;
        ModelDirectory directory = node.Directory;
        directory.Finished++;
        directory.IsLost = node.Work.IsLost;
        Assert.Equal(1, directory.Finished);
        Assert.True(directory.IsLost || node.IsOpen);
        Assert.All(directory.Children, child => Assert.Equal(child.Entered, child.Removed));
        Assert.DoesNotContain(_workers, other => other != worker && other.Holds == node);
        Assert.True(node.Parent is null || node.Parent.IsOpen || node.Parent.Work.IsLost);

        // Nothing is missing, or it says so.
        bool isWhole = directory.ListedToEnd && !directory.Failed && directory.Listed == directory.Children.Count;
        Assert.True(isWhole || PassesOverRoot || !node.Work.IsWhole);
        Assert.True(Stopped || directory.IsLost || PassesOverRoot || isWhole == node.Work.IsWhole || directory.Failed);
    }

    private void EndFinishing(ModelWorker worker)
    {
        ModelNode node = worker.Finishing!;
        ModelDirectory directory = node.Directory;
        worker.Finishing = null;
        if (Happens(ThrowRate))
        {
            _queue.Stop(); // Finish has thrown.
        }

        ModelNode? parent = node.Parent;
        ModelNode? left = _queue.Remove(node);
        directory.Removed++;
        Assert.Same(parent, left);
        worker.Leaving = left;
    }

    /// <summary>When one more is open, none too many is that could be closed.</summary>
    private void CheckOpen()
    {
        int open = _nodes.Count(node => node.IsOpen);
        Assert.True(open <= MaxOpen || !_nodes.Exists(node => node.IsOpen && MayBeClosed(node)), $"{open} nodes are open.");
    }

    public bool MayBeClosed(ModelNode node) =>
        node.Directory.Entered > node.Directory.Removed && node.Directory.Finished == 0 && !IsHeld(node) &&
        node.Directory.Children.Exists(child => child.Entered > child.Removed) && node.MayBeReopened &&
        !HasChildElsewhere(node);

    private bool IsHeld(ModelNode node) =>
        _workers.Exists(worker => worker.Holds == node || worker.Finishing?.Parent == node);

    private bool HasChildElsewhere(ModelNode node) =>
        _nodes.Exists(child => child.Parent == node && !child.LeadsUp && child.Directory.Entered > child.Directory.Removed);

    private void CheckEnd(ModelDirectory top)
    {
        Assert.Equal(1, top.Finished);
        Assert.DoesNotContain(_nodes, node => node.IsOpen);
        foreach (ModelDirectory directory in _directories)
        {
            Assert.InRange(directory.Entered, 0, 1);
            Assert.Equal(directory.Entered, directory.Finished);
            Assert.Equal(directory.Entered, directory.Removed);
            bool isCut = Stopped || PassesOverRoot || directory.Failed || directory.Parent is { } parent &&
                (parent.Entered == 0 || parent.Failed || parent.IsLost);
            Assert.True(directory.Entered == 1 || isCut);
        }
    }

    internal sealed class ThrownException : Exception;
}
