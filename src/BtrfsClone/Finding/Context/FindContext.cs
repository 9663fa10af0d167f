using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>What all steps of a search are handed: what is wanted, the memory, and the front end.</summary>
internal sealed class FindContext(FindOptions options, SessionEvents events, FindProgress progress, WorkingMemory memory)
{
    private readonly EventPump _pump = new(events);

    public FindOptions Options => options;

    public FindProgress Progress => progress;

    public WorkingMemory Memory => memory;

    public CancellationToken Cancellation { get; set; }

    /// <summary>How many threads may work.</summary>
    public int Workers { get; } = WorkerLimit.Usual;

    /// <summary>How many directories may be open at once.</summary>
    public int MaxOpen => FreeDescriptors.Share(2, Workers + 2, 512);

    /// <summary>Keeps a failure for the session's thread; on any thread.</summary>
    public void Report(BtrfsException failure) => _pump.Report(failure);

    /// <summary>Keeps a directory that another filesystem is mounted on; on any thread.</summary>
    public void TellPassedOver(string path) => _pump.TellPassedOver(path, OtherFileSystem.Storage);

    /// <summary>Ends the work if it was cancelled, and tells the front end; on the session's thread.</summary>
    public void Pump()
    {
        Cancellation.ThrowIfCancellationRequested();
        _pump.Pump();
    }

    /// <summary>As <see cref="Pump()"/>, after some more blocks have been compared.</summary>
    public void Pump(long done)
    {
        progress.Add(done);
        Pump();
    }
}
