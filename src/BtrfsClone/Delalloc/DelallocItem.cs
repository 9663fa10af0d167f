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

    /// <summary>The path as it was added.</summary>
    public string Path { get; }

    /// <summary>The caller's object for this item.</summary>
    public object? Tag { get; }

    /// <summary>It is neither a regular file nor a directory, so it cannot have delayed data.</summary>
    public bool PassedOver { get; internal set; }

    /// <summary>How many times one of its files had delayed data or data under writeback, over all passes.</summary>
    public long BusyFiles { get; internal set; }

    /// <summary>The maximum number of times that one file was checked: writeback is started in the first round.</summary>
    public int Rounds { get; internal set; }

    /// <summary>When its timeout expires, on the clock of <see cref="Environment.TickCount64"/>.</summary>
    internal long Deadline { get; }

    /// <summary>The open directory; none for a file, whose descriptor the flusher holds.</summary>
    internal Descriptor Directory { get; set; }

    /// <summary>Opens it; returns none if that fails, or there is nothing to wait for.</summary>
    internal Descriptor Open(out bool isDirectory, out BtrfsException? failure)
    {
        isDirectory = false;
        failure = null;

        // Checked before opening: opening a device or a FIFO can have side effects.
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

    /// <summary>The number of passes through the directory; 0 for a file.</summary>
    public int Passes { get; private set; }

    internal void BeginPass(int longestPause, CancellationToken cancellation)
    {
        // Another process keeps writing: starting the next pass at once would be a busy loop.
        Passes++;
        if (Passes > 2)
        {
            cancellation.WaitHandle.WaitOne(Math.Min(1 << Math.Min(Passes - 2, 10), longestPause));
        }
    }

    /// <summary>A failure of it was reported.</summary>
    internal bool Failed { get; set; }

    /// <summary>Nothing more is to be done for it. Workers read this without the lock.</summary>
    internal bool Ended
    {
        get => Volatile.Read(ref _ended);
        set => Volatile.Write(ref _ended, value);
    }

    private bool _ended;

    // The rest is protected by the flusher's lock.

    /// <summary>The number of its files that the flusher has, plus one while its directory is being walked.</summary>
    internal int Pending { get; set; }

    /// <summary>This pass has found a file that makes another pass necessary.</summary>
    internal bool LookAgain { get; set; }
}
