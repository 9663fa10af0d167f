using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Lists an open directory once, from start to end, without <c>.</c> and <c>..</c>. A listing that fails ends early: after its end,
/// check <see cref="Failed"/> before treating anything as missing.
/// </summary>
/// <example>
/// <code>
/// var listing = new DirectoryListing(directory, buffer);
/// while (listing.Next(out DirectoryBatch.Entry entry)) { … }
/// return listing.Failed ? Failure.Destination(listing.Call, listing.Result) : default;
/// </code>
/// </example>
/// <param name="directory">The open directory. It is read from its start, regardless of its offset.</param>
/// <param name="buffer">Buffer for a part of the listing. An entry is valid until the next one is read.</param>
/// <param name="size">The size of the buffer in bytes, at least 280: one entry with the longest name.</param>
/// <param name="from">Where to start instead: an entry's <see cref="DirectoryBatch.Entry.NextOffset"/>.</param>
internal unsafe struct DirectoryListing(
    Descriptor directory, byte* buffer, int size = DirectoryBatch.BufferSize, long from = 0)
{
    private DirectoryBatch.Enumerator _entries;
    private bool _begun;
    private bool _ended;

    /// <summary>Whether the listing may be incomplete: a call has failed.</summary>
    public readonly bool Failed => Result.Failed;

    /// <summary>The result of the last call.</summary>
    public CallResult Result { get; private set; }

    /// <summary>The last call.</summary>
    public SystemCall Call { get; private set; }

    /// <summary>
    /// Moves to the next entry; its type is looked up if the filesystem does not report it. False at the end, and if the listing
    /// <see cref="Failed"/>.
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

    /// <summary>All remaining entries, copied; or null if the listing <see cref="Failed"/>.</summary>
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
            Result = Errno.EPROTO; // A record that is not within the buffer: what follows it is unknown.
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

/// <summary>A copied directory entry.</summary>
/// <param name="Name">The name, null-terminated.</param>
/// <param name="Type">A DT_* value (<see cref="DirectoryEntry"/>), never unknown.</param>
/// <param name="Inode">The inode number; for a mount point or a subvolume it is not the one that stat(2) returns.</param>
internal readonly record struct ListedEntry(byte[] Name, byte Type, ulong Inode);
