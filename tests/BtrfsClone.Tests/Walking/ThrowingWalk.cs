using System.Runtime.InteropServices;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>A walk that throws at one place, and counts what it is asked for.</summary>
internal sealed unsafe class ThrowingWalk(int workers, TreeWalkTests.Site site, int at, Exception? exception = null)
    : TreeWalk<ThrowingWalk.Node, ThrowingWalk.Buffers>(workers, maxOpen: 2, CancellationToken.None)
{
    private readonly Exception _exception = exception ?? new InvalidOperationException($"{site} {at}");
    private int _calls;
    private int _active;
    private int _opened = 1;
    private int _finished;
    private int _buffersMade;
    private int _buffersDisposed;

    /// <summary>What was thrown, if it was.</summary>
    public Exception? Thrown { get; private set; }

    public int Opened => _opened;

    public int Finished => _finished;

    public int BuffersMade => _buffersMade;

    public int BuffersDisposed => _buffersDisposed;

    /// <summary>How many calls are under way.</summary>
    public int Active => Volatile.Read(ref _active);

    public List<string> Lost { get; } = [];

    public Action? OnFile { get; init; }

    public void Run(string path)
    {
        using var buffers = new Buffers(() => { });
        var root = new Node();
        Assert.True(OpenDirectory.At(path, out root.Directory).Succeeded);
        Assert.True(Sys.Stat(root.Directory, out root.Status).Succeeded);
        Run(root, buffers);
    }

    protected override Node NewNode() => Call(TreeWalkTests.Site.NewNode, () => new Node());

    protected override Buffers NewBuffers() => Call(
        TreeWalkTests.Site.NewBuffers,
        () =>
        {
            Interlocked.Increment(ref _buffersMade);
            return new Buffers(() =>
            {
                Interlocked.Increment(ref _buffersDisposed);
                Call(TreeWalkTests.Site.DisposeBuffers, () => true);
            });
        });

    protected override bool Open(Buffers buffers, Node node)
    {
        Assert.True(OpenDirectory.Below(node.Parent!.Directory, node.Name, out node.Directory).Succeeded);
        Assert.True(Sys.Stat(node.Directory, out node.Status).Succeeded);
        return Call(TreeWalkTests.Site.Open, () => Interlocked.Increment(ref _opened) > 0);
    }

    protected override bool IsWanted(Node node, DirectoryBatch.Entry entry) => Call(TreeWalkTests.Site.IsWanted, () => true);

    protected override void Visit(Buffers buffers, Node node, in DirectoryBatch batch, bool isCaller)
    {
        foreach (DirectoryBatch.Entry entry in batch)
        {
            if (entry.Type == DirectoryEntry.TypeRegular)
            {
                OnFile?.Invoke();
                Call(TreeWalkTests.Site.Visit, () => true);
                Pump(isCaller);
            }
        }

        // A directory of its own account that cannot be listed.
        ReportUnlisted(node, Errno.EIO);
    }

    protected override void Finish(Buffers buffers, Node node)
    {
        Interlocked.Increment(ref _finished);
        Call(TreeWalkTests.Site.Finish, () => true);
    }

    protected override void ReportUnlisted(Node node, CallResult result) => Call(TreeWalkTests.Site.Unlisted, () => true);

    protected override void ReportLost(Node node)
    {
        Interlocked.Increment(ref _finished);
        Lost.Add(node.Parent is null ? "" : Utf8Z.ToText(Utf8Z.Span(node.Name)));
    }

    protected override void PumpCaller() => Call(TreeWalkTests.Site.Pump, () => true);

    private T Call<T>(TreeWalkTests.Site place, Func<T> act)
    {
        Interlocked.Increment(ref _active);
        try
        {
            if (place == site && Interlocked.Increment(ref _calls) == at)
            {
                Thrown = _exception;
                throw _exception;
            }

            return act();
        }
        finally
        {
            Interlocked.Decrement(ref _active);
        }
    }

    internal sealed class Node : WalkNode<Node>
    {
        public Statx Status;

        public Descriptor Directory;

        public override bool IsOpen => Directory.IsOpen;

        public override Descriptor Descriptor => Directory;

        public override void Close()
        {
            Sys.Close(Directory);
            Directory = Descriptor.None;
        }

        protected override bool OpenAgain(Node child) =>
            OpenDirectory.Above(child.Directory, Status, out Directory).Succeeded;
    }

    internal sealed class Buffers(Action onDispose) : IWalkBuffers
    {
        public byte* Entries { get; } = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);

        public void Dispose()
        {
            NativeMemory.Free(Entries);
            onDispose();
        }
    }
}
