using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Lists an open directory once, from its beginning to its end, without <c>.</c> and <c>..</c>. A listing that fails ends
/// early: whoever has come to the end of it asks whether it <see cref="Failed"/>, before anything is taken to be
/// missing.
/// </summary>
/// <example>
/// <code>
/// var listing = new DirectoryListing(directory, buffer);
/// while (listing.Next(out DirectoryBatch.Entry entry)) { … }
/// return listing.Failed ? Failure.Destination(listing.Call, listing.Result) : default;
/// </code>
/// </example>
/// <param name="directory">The open directory. It is read from its beginning, whatever its offset is.</param>
/// <param name="buffer">Memory for a part of the listing. An entry lies in it until the next one is asked for.</param>
/// <param name="size">The buffer's size in bytes, at least 280: one entry with the longest name.</param>
/// <param name="from">Where to begin instead: an entry's <see cref="DirectoryBatch.Entry.NextOffset"/>.</param>
internal unsafe struct DirectoryListing(
    Descriptor directory, byte* buffer, int size = DirectoryBatch.BufferSize, long from = 0)
{
    private DirectoryBatch.Enumerator _entries;
    private bool _begun;
    private bool _ended;

    /// <summary>Whether the entries so far are not known to be all: a call has failed.</summary>
    public readonly bool Failed => Result.Failed;

    /// <summary>What the last call gave.</summary>
    public CallResult Result { get; private set; }

    /// <summary>The call that was made last.</summary>
    public SystemCall Call { get; private set; }

    /// <summary>
    /// Goes on to the next entry; its type is found where the filesystem does not say it. False at the end, and where
    /// the listing <see cref="Failed"/>.
    /// </summary>
    public bool Next(out DirectoryBatch.Entry entry)
    {
        do
        {
            while (_entries.MoveNext())
            {
                entry = _entries.Current;
                if (!entry.IsDotOrDotDot)
                {
                    entry.Type = EntryType.Of(directory, entry);
                    return true;
                }
            }
        }
        while (ReadOn());

        entry = default;
        return false;
    }

    /// <summary>All entries that are left, kept; or null where the listing <see cref="Failed"/>.</summary>
    public List<ListedEntry>? ReadAll()
    {
        var entries = new List<ListedEntry>();
        while (Next(out DirectoryBatch.Entry entry))
        {
            entries.Add(new ListedEntry([.. entry.Name, 0], entry.Type, entry.Inode));
        }

        return Failed ? null : entries;
    }

    private bool ReadOn()
    {
        if (_ended)
        {
            return false;
        }

        if (!_begun)
        {
            _begun = true;
            Call = SystemCall.Lseek;
            Result = Sys.Seek(directory, from);
        }
        else if (!_entries.IsAtEnd)
        {
            Result = Errno.EPROTO; // A record that does not lie within the buffer: what follows it is not known.
        }

        if (!Failed)
        {
            Call = SystemCall.GetDents;
            Result = Sys.ReadDirectory(directory, buffer, size);
            _entries = new DirectoryBatch(buffer, (int)Result.Value).GetEnumerator();
        }

        _ended = Failed || Result.Value == 0;
        return !_ended;
    }
}

/// <summary>An entry of a directory, kept.</summary>
/// <param name="Name">The name, ended by a zero.</param>
/// <param name="Type">A DT_* value (<see cref="DirectoryEntry"/>), never unknown.</param>
/// <param name="Inode">The inode's number; that of a mount point or a subvolume is not the one that stat(2) gives.</param>
internal readonly record struct ListedEntry(byte[] Name, byte Type, ulong Inode);
