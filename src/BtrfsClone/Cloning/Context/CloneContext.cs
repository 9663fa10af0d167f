using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// What all parts of an invocation share: options, credentials, resource limits, counters, and the reporting of failures. It is
/// passed down, and knows nothing of its users.
/// </summary>
internal sealed class CloneContext
{
    private readonly EventPump _news;
    private readonly Action<string, string>? _onCloned;

    /// <param name="options">How to clone.</param>
    /// <param name="events">Receives events, on the caller's thread.</param>
    public CloneContext(CloneOptions options, SessionEvents events)
    {
        Options = options;
        _news = new EventPump(events);
        Counters = new CloneCounters { OnCopied = _news.TickWithin };
        Created = new CreatedEntries(options.SingleItem);
        Losses = new MetadataLosses(Counters);
        Storage = new StorageProperties(options.NoCow, options.InheritProperty, options.Compression);
        _onCloned = events.OnCloned;
        Carrier = options.NewCarrier?.Invoke(this);
        Descriptors = new DescriptorBudget(options.Workers > 0 ? options.Workers : WorkerLimit.Usual);
    }

    public CloneOptions Options { get; }

    public CloneCounters Counters { get; }

    /// <summary>Copies content to other filesystems, or null. The creator of the context disposes of it.</summary>
    public IContentCarrier? Carrier { get; }

    public DescriptorBudget Descriptors { get; }

    public WriteOutRate WriteOut { get; } = new();

    public StorageProperties Storage { get; }

    public CreatedEntries Created { get; }

    public MetadataLosses Losses { get; }

    /// <summary>The maximum size of a file, in bytes.</summary>
    public ulong FileSizeLimit { get; } = Sys.FileSizeLimit;

    public uint Uid { get; } = Sys.EffectiveUid;

    public uint Gid { get; } = Sys.EffectiveGid;

    public uint Umask { get; } = ProcessUmask.Read();

    /// <summary>Allocates the buffers of another worker.</summary>
    public WorkerBuffers NewBuffers() => new(Descriptors.ToClose, Descriptors.Batch);

    /// <summary>
    /// Whether a new entry can be created with its final mode: owner and group are correct by default, nothing is inherited that
    /// changes the mode, the umask removes nothing from it, and it has no special bits.
    /// </summary>
    public bool MayBeRightAtOnce(DirectoryPair directory, in Statx status) =>
        status.Uid == Uid && status.Gid == directory.GroupOfNew(Gid) && !directory.InheritsXattrs &&
        (status.Permissions & (Sys.ModeSpecial | Umask)) == 0;

    /// <summary>Queues a failure of an entry of a directory, or of the directory itself, for the caller's thread.</summary>
    public void Report(Failure failure, DirectoryPair directory, ReadOnlySpan<byte> name)
    {
        if (failure == Failure.Cancelled)
        {
            return;
        }

        Counters.AddFailed();
        string path = name.IsEmpty
            ? (failure.AtSource ? directory.SourcePath : directory.DestinationPath)
            : directory.PathOf(failure.AtSource, name);
        Report(failure.ToException(path));
    }

    /// <summary>Removes what was created for an entry that has failed since. If this fails, it is reported.</summary>
    public unsafe void RemoveMade(DirectoryPair directory, byte* name) =>
        ReportLeft(directory, name, Sys.Unlink(directory.Destination, name));

    /// <summary>As above, for an empty directory.</summary>
    public unsafe void RemoveMadeDirectory(DirectoryPair directory, byte* name) =>
        ReportLeft(directory, name, Sys.RemoveDirectory(directory.Destination, name));

    private unsafe void ReportLeft(DirectoryPair directory, byte* name, CallResult removed)
    {
        // Another process may have moved it away, and have created something else in its place.
        if (removed.Failed && removed.Error is not (Errno.ENOENT or Errno.EISDIR or Errno.ENOTDIR or Errno.ENOTEMPTY))
        {
            string path = directory.PathOf(false, new ReadOnlySpan<byte>(name, Utf8Z.Length(name)));
            Report(Failure.Destination(SystemCall.UnlinkAt, removed).Leaving(path));
        }
    }

    /// <summary>Queues a failure of the invocation as a whole for the caller's thread.</summary>
    public void Report(BtrfsException failure) => _news.Report(failure);

    /// <summary>Queues a skipped source directory for the caller's thread.</summary>
    public void TellPassedOver(string path, OtherFileSystem mounted) => _news.TellPassedOver(path, mounted);

    /// <summary>Queues a cloned entry of a directory for the caller's thread, if such events are requested.</summary>
    public unsafe void TellCloned(DirectoryPair directory, byte* sourceName, byte* name)
    {
        if (_onCloned is not null)
        {
            string source = directory.PathOf(atSource: true, Utf8Z.Span(sourceName));
            string destination = directory.PathOf(atSource: false, Utf8Z.Span(name));
            _news.Post(() => _onCloned(source, destination));
        }
    }

    /// <summary>As above, for a directory.</summary>
    public void TellCloned(DirectoryPair pair)
    {
        if (_onCloned is not null)
        {
            (string source, string destination) = (pair.SourcePath, pair.DestinationPath);
            _news.Post(() => _onCloned(source, destination));
        }
    }

    /// <summary>Queues another event for the caller's thread.</summary>
    public void Tell(Action tell) => _news.Post(tell);

    /// <summary>Raises queued events and lets the front end show progress; on the caller's thread only.</summary>
    public void Pump() => _news.Pump();

    /// <summary>Raises queued events; on the caller's thread only.</summary>
    public void Drain() => _news.Drain();
}
