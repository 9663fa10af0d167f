using System.Diagnostics;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>
/// Writes directories as a stream for <c>btrfs receive</c>, which creates a subvolume from each. Data that they share, also with
/// each other, is shared in these too. A directory need not be a subvolume or read-only, and may be on any filesystem. A session
/// must be used from one thread.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN on btrfs, compressed extents are sent as they are stored (BTRFS_IOC_ENCODED_READ). Otherwise shared data is
/// found by the addresses from FIEMAP: on btrfs, data that seems to be shared is read twice, and is sent again if it is compressed.
/// Memory does not grow with the tree, except for files with several links, and for shared data, up to some 160 MB.
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

    /// <summary>Starts a stream.</summary>
    /// <param name="options">How to send.</param>
    /// <param name="events">Receives events.</param>
    /// <param name="output">Receives the stream. It is not closed; an exception from it ends the session.</param>
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

    /// <summary>Whether the stream is valid so far. After its output has failed, nothing more can be sent.</summary>
    public bool CanGoOn => !_writer.IsBroken;

    /// <summary>The metadata that is lost, by kind.</summary>
    public IReadOnlyList<MetadataLoss> Losses => _context.Losses.All;

    /// <summary>Sends a directory with everything below it.</summary>
    /// <param name="path">Its absolute path; a symbolic link is followed. Its name becomes the name of the subvolume.</param>
    /// <param name="cancellation">Cancels sending. The stream then has no end command, which a receiver reports.</param>
    /// <returns>The result; <see cref="SendResult.Failed"/> counts the failures that were reported.</returns>
    /// <exception cref="BtrfsException">It could not be started, and nothing of it is in the stream.</exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
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

    /// <summary>Ends the stream. If nothing was sent, the stream is empty.</summary>
    public void Complete()
    {
        if (_writer is { IsBegun: true, IsBroken: false })
        {
            _context.Stream.End();
            _writer.Flush();
            _context.Counters.StreamLength = _writer.Length;
        }
    }

    /// <summary>Releases the resources of the session.</summary>
    public void Dispose() => _buffers.Dispose();
}
