using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>A file, or a directory with every regular file below it, that is being waited for.</summary>
public sealed class DelallocItem
{
    internal DelallocItem(string path, object? tag, long deadline)
    {
        Path = path;
        Tag = tag;
        Deadline = deadline;
    }

    /// <summary>The path that it was added by.</summary>
    public string Path { get; }

    /// <summary>What the caller gave along with it.</summary>
    public object? Tag { get; }

    /// <summary>It is neither a regular file nor a directory, so that nothing of it can be delayed.</summary>
    public bool PassedOver { get; internal set; }

    /// <summary>How many times a file of it was found with data that was delayed or in flight, over all passes.</summary>
    public long BusyFiles { get; internal set; }

    /// <summary>How often the file was looked at that took longest: write-out is started in the first round.</summary>
    public int Rounds { get; internal set; }

    /// <summary>When it has taken too long, on <see cref="Environment.TickCount64"/>'s clock.</summary>
    internal long Deadline { get; }

    /// <summary>The open directory; none for a file, whose descriptor is with the flusher.</summary>
    internal Descriptor Directory { get; set; }

    /// <summary>Opens it; none where that fails, or there is nothing to wait for.</summary>
    internal Descriptor Open(out bool isDirectory, out BtrfsException? failure)
    {
        isDirectory = false;
        failure = null;

        // Looked at before it is opened: opening a device or a FIFO may do something.
        CallResult result = Sys.Stat(Path, follow: false, out Statx status);
        if (result.Failed)
        {
            failure = BtrfsException.FromErrno(result.Error, SystemCall.Statx, Path);
            return Descriptor.None;
        }

        if (status.FileType is not (Sys.ModeRegular or Sys.ModeDirectory))
        {
            failure = new BtrfsException(BtrfsError.NotRegularFile, Path);
            return Descriptor.None;
        }

        isDirectory = status.FileType == Sys.ModeDirectory;
        int flags = OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlock | OpenFlags.NoControllingTerminal;
        result = Sys.Open(Path, isDirectory ? flags | OpenFlags.Directory : flags, out Descriptor opened);
        if (result.Failed)
        {
            failure = BtrfsException.FromErrno(result.Error, SystemCall.OpenAt, Path);
        }

        return opened;
    }

    internal void CloseDirectory()
    {
        Sys.Close(Directory);
        Directory = Descriptor.None;
    }

    /// <summary>How many times the directory has been looked through; 0 for a file.</summary>
    public int Passes { get; private set; }

    internal void BeginPass(int longestPause, CancellationToken cancellation)
    {
        // Somebody keeps writing: one pass after the other would be a busy loop.
        Passes++;
        if (Passes > 2)
        {
            cancellation.WaitHandle.WaitOne(Math.Min(1 << Math.Min(Passes - 2, 10), longestPause));
        }
    }

    /// <summary>Something of it was reported as failed.</summary>
    internal bool Failed { get; set; }

    /// <summary>Nothing more is to be done for it. Workers read it without the lock.</summary>
    internal bool Ended
    {
        get => Volatile.Read(ref _ended);
        set => Volatile.Write(ref _ended, value);
    }

    private bool _ended;

    // The rest is guarded by the flusher's lock.

    /// <summary>How many of its files are with the flusher, and one more while its directory is looked through.</summary>
    internal int Pending { get; set; }

    /// <summary>This pass has met a file because of which another one is needed.</summary>
    internal bool LookAgain { get; set; }
}
