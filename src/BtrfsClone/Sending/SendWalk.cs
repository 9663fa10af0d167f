using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Sending;

/// <summary>
/// Walks a directory and everything below it, depth first, in listing order. The entries of each part of a directory's listing
/// precede its subdirectories, so memory holds the names of one part per level; and only the deepest levels stay open.
/// </summary>
internal sealed unsafe class SendWalk(SendContext context, EntrySender entries, WorkerBuffers buffers)
{
    private const int MostOpen = 64;

    private readonly List<Level> _levels = [];
    private SendPath _path = null!;

    /// <summary>Sends a directory as the root of a subvolume, which was already started.</summary>
    /// <param name="directory">The directory, which is not closed.</param>
    /// <param name="status">Its status.</param>
    /// <param name="path">Its path in the stream, which is empty.</param>
    public void Send(Descriptor directory, in Statx status, SendPath path)
    {
        _path = path;
        entries.Start();
        context.Counters.Directories++;
        _levels.Add(new Level(directory, status, 0));
        try
        {
            while (_levels.Count > 0)
            {
                Level level = _levels[^1];
                if (level.Subdirectories.TryDequeue(out byte[]? name))
                {
                    Enter(level, name);
                }
                else if (level.IsListed)
                {
                    Leave(level);
                }
                else
                {
                    List(level);
                }
            }
        }
        finally
        {
            foreach (Level level in _levels)
            {
                level.Dispose();
            }

            _levels.Clear();
        }
    }

    /// <summary>Sends the entries of the next part of a directory's listing, and stores the names of its subdirectories.</summary>
    private void List(Level level)
    {
        CallResult result = Sys.ReadDirectory(level.Descriptor, buffers.Entries, DirectoryBatch.BufferSize);
        DirectoryBatch.Enumerator listed = new DirectoryBatch(buffers.Entries, (int)result.Value).GetEnumerator();
        while (listed.MoveNext())
        {
            DirectoryBatch.Entry entry = listed.Current;
            level.Offset = entry.NextOffset;
            if (entry.IsDotOrDotDot)
            {
                continue;
            }

            if (!_path.TryEnter(entry.Name))
            {
                context.Fail(Failure.Refused(ErrorMeaning.PathTooLongToReceive, atSource: true), _path.TextOf(entry.Name));
            }
            else if (EntryType.Of(level.Descriptor, entry) == DirectoryEntry.TypeDirectory)
            {
                level.Subdirectories.Enqueue([.. entry.Name, 0]);
            }
            else
            {
                entries.Send(level.Descriptor, entry.NamePointer, _path);
            }

            _path.Return(level.PathLength);
        }

        bool isBroken = result.Value > 0 && !listed.IsAtEnd;
        level.IsListed = result.Value == 0 || isBroken;
        if (result.Failed || isBroken)
        {
            context.Fail(Failure.Source(SystemCall.GetDents, isBroken ? Errno.EPROTO : result), _path.Text);
        }
    }

    private void Enter(Level above, byte[] name)
    {
        _ = _path.TryEnter(Utf8Z.Span(name)); // Its success was checked when it was listed.
        CallResult result = OpenDirectory.Below(above.Descriptor, name, out Descriptor opened);
        SystemCall call = SystemCall.OpenAt;
        Statx status = default;
        if (result.Succeeded)
        {
            (result, call) = (Sys.Stat(opened, out status), SystemCall.Statx);
        }

        var directory = new OwnedDescriptor(opened);
        if (result.Failed)
        {
            directory.Dispose();
            context.Fail(Failure.Source(call, result), _path.Text);
            _path.Return(above.PathLength);
            return;
        }

        context.Stream.Make(StreamCommand.MakeDirectory, _path.Bytes, status.Inode);
        context.Counters.Directories++;
        OtherFileSystem mounted = OtherFileSystems.On(above.Descriptor, above.Status, opened, status);
        bool isLeftOut = mounted.IsLeftOut(context.Options.OneFileSystem);
        if (isLeftOut)
        {
            context.TellPassedOver(_path.Text, mounted);
        }

        _levels.Add(new Level(directory, status, _path.Length) { IsListed = isLeftOut });
        if (_levels.Count > MostOpen + 1)
        {
            _levels[^(MostOpen + 1)].Dispose();
        }
    }

    private void Leave(Level level)
    {
        entries.SendDirectory(level.Descriptor, level.Status, _path);
        _levels.RemoveAt(_levels.Count - 1);
        if (_levels.Count > 0)
        {
            Level above = _levels[^1];
            CallResult result = above.Reopen(level.Descriptor);
            level.Dispose();
            _path.Return(above.PathLength);
            if (result.Failed)
            {
                GiveUp(result);
            }
        }
    }

    /// <summary>The closed parents of a directory that was moved cannot be found again.</summary>
    private void GiveUp(CallResult result)
    {
        context.Fail(
            result.Is(Errno.ESTALE)
                ? Failure.Refused(BtrfsError.ChangedMeanwhile, atSource: true)
                : Failure.Source(SystemCall.OpenAt, result),
            _path.Text);
        while (_levels.Count > 1 && !_levels[^1].Descriptor.IsOpen)
        {
            _levels.RemoveAt(_levels.Count - 1);
        }

        _path.Return(_levels[^1].PathLength);
    }

    private sealed class Level : IDisposable
    {
        private readonly Descriptor _borrowed;
        private OwnedDescriptor? _owned;

        public Level(Descriptor borrowed, in Statx status, int pathLength) =>
            (_borrowed, Status, PathLength) = (borrowed, status, pathLength);

        public Level(OwnedDescriptor owned, in Statx status, int pathLength) =>
            (_owned, Status, PathLength) = (owned, status, pathLength);

        /// <summary>The directory; none while it is closed.</summary>
        public Descriptor Descriptor => _borrowed.IsOpen ? _borrowed : _owned?.Descriptor ?? Descriptor.None;

        public Statx Status { get; }

        public int PathLength { get; }

        public Queue<byte[]> Subdirectories { get; } = new();

        public bool IsListed { get; set; }

        /// <summary>Where the listing continues if it had to be closed in between.</summary>
        public long Offset { get; set; }

        /// <summary>Opens it again from a child, if it is closed.</summary>
        public CallResult Reopen(Descriptor child)
        {
            if (Descriptor.IsOpen)
            {
                return CallResult.Success;
            }

            CallResult result = OpenDirectory.Above(child, Status, out Descriptor opened);
            _owned = new OwnedDescriptor(opened);
            result = result.Failed ? result : Sys.Seek(opened, Offset);
            if (result.Failed)
            {
                Dispose();
            }

            return result;
        }

        /// <summary>Closes it, temporarily or permanently.</summary>
        public void Dispose()
        {
            _owned?.Dispose();
            _owned = null;
        }
    }
}
