using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// Finds data that is stored more than once: in any files below the given items, at any offset. It is used from one
/// thread at a time, and uses several by itself.
/// </summary>
/// <remarks>
/// With CAP_SYS_ADMIN on btrfs no data is read: btrfs keeps a checksum of each block in a tree. What has the same
/// checksums is a candidate; that it is the same is for the kernel to say, when it shares it (FIDEDUPERANGE). The
/// filesystem is written out first (syncfs), and nothing else of it is changed. Links are not followed, other filesystems
/// that are mounted below an item are passed over, and nested subvolumes are searched as directories. Tables take about
/// 160 MiB at most, whatever the size of the filesystem; what does not fit goes to temporary files in TMPDIR, or
/// /var/tmp: up to 50 bytes for each block of data that is searched.
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

    /// <summary>Begins.</summary>
    /// <param name="options">What is looked for.</param>
    /// <param name="events">Takes what there is to tell, on the thread that asks for groups.</param>
    public FindSession(FindOptions options, SessionEvents events)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(events);
        _context = new FindContext(options, events, Progress, new WorkingMemory());
    }

    /// <summary>How far the search is.</summary>
    public FindProgress Progress { get; } = new();

    /// <summary>
    /// Searches, and gives the groups that it has found, the largest gain first. Items of several filesystems are searched
    /// one filesystem after the other.
    /// </summary>
    /// <param name="paths">Regular files, and directories with all below them.</param>
    /// <param name="cancellation">Ends it at once.</param>
    /// <returns>The groups; the search begins when the first is asked for.</returns>
    /// <exception cref="BtrfsException">
    /// A filesystem cannot be searched: <see cref="BtrfsError.PermissionDenied"/> or <see cref="BtrfsError.NotBtrfs"/>
    /// where <see cref="DuplicateSource.Checksum"/> was asked for; <see cref="BtrfsError.FiemapNotSupported"/>;
    /// <see cref="BtrfsError.NoSpace"/>: there is no room for temporary files.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
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
