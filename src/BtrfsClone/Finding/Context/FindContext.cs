using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>What is passed to all steps of a search: the options, the memory, and the front end.</summary>
internal sealed class FindContext(FindOptions options, SessionEvents events, FindProgress progress, WorkingMemory memory)
{
    private readonly EventPump _pump = new(events);

    public FindOptions Options => options;

    public FindProgress Progress => progress;

    public WorkingMemory Memory => memory;

    public CancellationToken Cancellation { get; set; }

    /// <summary>The maximum number of threads.</summary>
    public int Workers { get; } = WorkerLimit.Usual;

    /// <summary>The maximum number of open directories.</summary>
    public int MaxOpen => FreeDescriptors.Share(2, Workers + 2, 512);

    /// <summary>Queues a failure for the session's thread; callable on any thread.</summary>
    public void Report(BtrfsException failure) => _pump.Report(failure);

    /// <summary>Queues a directory that another filesystem is mounted on; callable on any thread.</summary>
    public void TellPassedOver(string path) => _pump.TellPassedOver(path, OtherFileSystem.Storage);

    /// <summary>Throws if the work was cancelled, and raises pending events; on the session's thread.</summary>
    public void Pump()
    {
        Cancellation.ThrowIfCancellationRequested();
        _pump.Pump();
    }

    /// <summary>As <see cref="Pump()"/>, after more blocks have been compared.</summary>
    public void Pump(long done)
    {
        progress.Add(done);
        Pump();
    }
}
