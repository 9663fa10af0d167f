using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// Finds data that is stored more than once: in any files below the given items, at any offset. Must be used from one thread at a
/// time; uses several threads internally.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN on btrfs no data is read: btrfs stores a checksum of each block in a tree. Data with equal checksums is a
/// candidate; the kernel verifies that it is equal when it shares it (FIDEDUPERANGE). Dirty data of the filesystem is written to
/// disk first (syncfs), and nothing else is changed. Links are not followed, other filesystems mounted below an item are skipped,
/// and nested subvolumes are searched like directories. Tables take at most about 160 MiB, regardless of the size of the
/// filesystem; the rest is stored in temporary files in TMPDIR, or /var/tmp: up to 50 bytes per block of data searched.
/// </remarks>
/// <example>
/// <code>
/// var events = new SessionEvents { OnFailure = failure => Console.Error.WriteLine(failure.Message) };
/// var session = new FindSession(new FindOptions(), events);
/// foreach (BtrfsDuplicate group in session.Find(["/srv"], CancellationToken.None))
/// {
///     Console.WriteLine($"{group.ReclaimableLength} {group.Places[0].Path}");
/// }
/// </code>
/// </example>
public sealed class FindSession
{
    private readonly FindContext _context;

    /// <summary>Creates a session.</summary>
    /// <param name="options">What to look for.</param>
    /// <param name="events">Receives events, on the thread that enumerates the groups.</param>
    public FindSession(FindOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        _context = new FindContext(options, events, Progress, new WorkingMemory());
    }

    /// <summary>The progress of the search.</summary>
    public FindProgress Progress { get; } = new();

    /// <summary>
    /// Searches, and returns the groups found, those that free the most first. Items on several filesystems are searched one
    /// filesystem after the other.
    /// </summary>
    /// <param name="paths">Regular files, and directories with everything below them.</param>
    /// <param name="cancellation">Cancels immediately.</param>
    /// <returns>The groups; the search starts when the first one is requested.</returns>
    /// <exception cref="BtrfsException">
    /// A filesystem cannot be searched: <see cref="BtrfsError.PermissionDenied"/> or <see cref="BtrfsError.NotBtrfs"/> if
    /// <see cref="DuplicateSource.Checksum"/> was requested; <see cref="BtrfsError.FiemapNotSupported"/>;
    /// <see cref="BtrfsError.NoSpace"/>: there is no space for temporary files.
    /// </exception>
    /// <exception cref="OperationCanceledException">The operation was cancelled.</exception>
    public IEnumerable<BtrfsDuplicate> Find(IEnumerable<string> paths, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(paths);
        _context.Cancellation = cancellation;
        List<SearchRoot> roots = Open(paths);
        try
        {
            while (roots.Count > 0)
            {
                SearchRoot[] together = [.. roots.Where(root => root.IsOnFileSystemOf(roots[0]))];
                using (var search = new DuplicateSearch(_context, together))
                {
                    search.Run();
                    foreach (BtrfsDuplicate group in search.Groups())
                    {
                        yield return group;
                    }
                }

                foreach (SearchRoot root in together)
                {
                    roots.Remove(root);
                    root.Dispose();
                }
            }

            _context.Pump();
        }
        finally
        {
            roots.ForEach(root => root.Dispose());
        }
    }

    private List<SearchRoot> Open(IEnumerable<string> paths)
    {
        var roots = new List<SearchRoot>();
        foreach (string path in paths)
        {
            try
            {
                roots.Add(SearchRoot.Open(path));
            }
            catch (BtrfsException failure)
            {
                _context.Report(failure);
            }
        }

        return roots;
    }
}
