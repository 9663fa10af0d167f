using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>
/// Writes directories as a stream that <c>btrfs receive</c> understands, and makes a subvolume of each. What they share, among each
/// other too, they share there. A directory need be no subvolume and not read-only, and may be on any filesystem. A session is
/// used from one thread.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN on btrfs, compressed extents are sent as they are stored (BTRFS_IOC_ENCODED_READ). Elsewhere what is shared is
/// found by FIEMAP's addresses: on btrfs what seems to be shared is read twice, and is sent again where it is compressed. Memory
/// does not grow with the tree, but for files with several links, and for what is shared up to some 160 MB.
/// </remarks>
/// <example>
/// <code>
/// using var file = File.Create("/backup/stream");
/// using var session = new SendSession(
///     new SendOptions(),
///     new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) },
///     file);
/// SendResult result = session.Send("/srv/pool", CancellationToken.None);
/// session.Complete();
/// </code>
/// </example>
public sealed class SendSession : IDisposable
{
    private readonly CommandWriter _writer;
    private readonly SendContext _context;
    private readonly WorkerBuffers _buffers = new(toClose: 1, batch: 1);
    private readonly SendWalk _walk;
    private readonly HashSet<string> _names = [];

    /// <summary>Begins a stream.</summary>
    /// <param name="options">How to send.</param>
    /// <param name="events">Takes what there is to tell.</param>
    /// <param name="output">Takes the stream. It stays the caller's; what it throws ends the session.</param>
    public SendSession(SendOptions options, SessionEvents events, Stream output)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Protocol, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Protocol, SendOptions.NewestProtocol);
        _writer = new CommandWriter(output, options.Protocol);
        _context = new SendContext(options, events, _writer);
        _walk = new SendWalk(_context, new EntrySender(_context, _buffers), _buffers);
    }

    /// <summary>Running totals.</summary>
    public SendCounters Counters => _context.Counters;

    /// <summary>Whether the stream is good so far. Where its output failed, nothing more can be sent.</summary>
    public bool CanGoOn => !_writer.IsBroken;

    /// <summary>What metadata does not arrive, by kinds.</summary>
    public IReadOnlyList<MetadataLoss> Losses => _context.Losses.All;

    /// <summary>Sends a directory with all below it.</summary>
    /// <param name="path">Its absolute path; a symbolic link is followed. Its name becomes the subvolume's.</param>
    /// <param name="cancellation">Stops it. The stream has no end then, and a receiver reports that.</param>
    /// <returns>What it came to; <see cref="SendResult.Failed"/> counts what was reported.</returns>
    /// <exception cref="BtrfsException">It could not be begun, and nothing of it is in the stream.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public SendResult Send(string path, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(path);
        cancellation.ThrowIfCancellationRequested();
        long begin = Stopwatch.GetTimestamp();
        _context.Cancellation = cancellation;
        path = CloneDestination.Trim(path);
        string name = CloneDestination.NameOf(path);
        if (name.Length == 0)
        {
            throw new BtrfsException(ErrorMeaning.NoSubvolumeName, path);
        }

        CallResult result = OpenDirectory.At(path, out Descriptor directory);
        using var closing = new DescriptorScope(directory);
        SystemCall call = SystemCall.OpenAt;
        Statx status = default;
        if (result.Succeeded)
        {
            (result, call) = (Sys.Stat(directory, out status), SystemCall.Statx);
        }

        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, path);
        }

        if (!_names.Add(name))
        {
            throw new BtrfsException(ErrorMeaning.SubvolumeNameTaken, path);
        }

        ReadOnlySpan<byte> bytes = Utf8Z.Span(Utf8Z.From(name));
        var subvolume = new SentSubvolume(Guid.NewGuid(), path);
        _context.Sent.Subvolumes.Add(subvolume);
        _context.Counters.StreamLength = _writer.Length;
        SendCounters before = _context.Counters.Copy();
        _context.Stream.Subvolume(bytes, subvolume.Uuid);
        _walk.Send(directory, status, new SendPath(path, bytes.Length));
        _writer.Flush();
        _context.Counters.StreamLength = _writer.Length;
        return _context.Counters.Since(before, path, name, Stopwatch.GetElapsedTime(begin));
    }

    /// <summary>Ends the stream. One that nothing was sent in is empty.</summary>
    public void Complete()
    {
        if (_writer is { IsBegun: true, IsBroken: false })
        {
            _context.Stream.End();
            _writer.Flush();
            _context.Counters.StreamLength = _writer.Length;
        }
    }

    /// <summary>Frees what the session needed.</summary>
    public void Dispose() => _buffers.Dispose();
}
