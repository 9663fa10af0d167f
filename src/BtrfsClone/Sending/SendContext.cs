using BtrfsClone.Cloning;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>What all parts of a session share.</summary>
internal sealed class SendContext(SendOptions options, SessionEvents events, CommandWriter writer)
{
    /// <summary>
    /// The receiver creates absolute paths, of at most 4095 bytes: this maximum length of a path, including the subvolume's name,
    /// leaves room for the path of the directory in which it receives.
    /// </summary>
    public const int LongestPath = 3584;

    private readonly EventPump _pump = new(events);

    public SendOptions Options => options;

    public SendStream Stream { get; } = new(writer);

    public SendCounters Counters { get; } = new();

    public SentFiles Sent { get; } = new();

    public SendSources Sources { get; } = new();

    public MetadataLosses Losses { get; } = new(
        counters: null, "the stream's version cannot tell it, or 'btrfs receive' does not set it");

    public CancellationToken Cancellation { get; set; }

    /// <summary>Whether extents may be sent in encoded form, and preallocated space too.</summary>
    public bool IsVersion2 => writer.Version > 1;

    /// <summary>Reports the failure of an entry.</summary>
    public void Fail(in Failure failure, string path)
    {
        Counters.Failed++;
        _pump.Report(failure.ToException(path));
        _pump.Drain();
    }

    public void TellPassedOver(string path, OtherFileSystem mounted)
    {
        _pump.TellPassedOver(path, mounted);
        _pump.Drain();
    }

    /// <summary>Lets progress be shown, and throws if cancelled. It is called for each command with data.</summary>
    public void GoOn()
    {
        Cancellation.ThrowIfCancellationRequested();
        Counters.StreamLength = writer.Length;
        _pump.Pump();
    }
}
