using System.Text;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Syncing;

/// <summary>The directories in which something has changed on either side, according to both subvolumes' trees.</summary>
/// <param name="run">The sync.</param>
/// <param name="top">The top directories, open.</param>
internal sealed class ChangedDirectories(SyncRun run, SyncPair top)
{
    private readonly Dictionary<string, ChangedDirectory> _directories = new(StringComparer.Ordinal);
    private readonly HashSet<ulong> _links = [];
    private readonly InodeNames _source = new(top.Source, top.SourcePath);

    public int Count => _directories.Count;

    /// <summary>
    /// Whether anything but the top directories has changed: writing the mark changes these, and a new mark for that would again be
    /// a change.
    /// </summary>
    public bool AreMoreThanTop => _directories.Values.Any(directory => directory.Path.Length > 0 || directory.HadNames);

    /// <summary>
    /// Those that have not been examined yet. A directory whose names have changed comes before everything below it, which may have
    /// to be created first; all others can be processed in parallel, those with the most names first.
    /// </summary>
    public IEnumerable<ChangedDirectory[]> Levels =>
        from directory in _directories.Values
        where directory.IsPending
        orderby directory.Pending descending
        group directory by directory.KeysAbove.Count(HasOtherNames) into level
        orderby level.Key
        select level.ToArray();

    /// <summary>Finds what has changed on either side. False if there are too many changes.</summary>
    /// <param name="sourceSince">The last transaction whose changes at the source are known.</param>
    /// <param name="destinationSince">The same for the destination.</param>
    /// <param name="cancellation">Cancels between two calls.</param>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool Collect(ulong sourceSince, ulong destinationSince, CancellationToken cancellation)
    {
        // If both are in one subvolume, most inodes of the clone are newer than those of its source.
        bool areOne = top.SourceStatus.Device == top.DestinationStatus.Device;
        ulong half = Math.Max(top.SourceStatus.Inode, top.DestinationStatus.Inode);
        ulong since = areOne ? Math.Min(sourceSince, destinationSince) : sourceSince;
        var first = new ChangedInodes(top.Source, top.SourcePath, since, last: areOne ? half - 1 : ulong.MaxValue);
        var second = areOne
            ? new ChangedInodes(top.Source, top.SourcePath, since, half)
            : new ChangedInodes(top.Destination, top.DestinationPath, destinationSince);
        Find(first, second, cancellation);
        if (first.Changed.Count + second.Changed.Count > ChangedInodes.Most)
        {
            return false;
        }

        ChangedInodes[] found = areOne ? [first, second] : [first];
        var paths = new RelativePaths(_source, found.SelectMany(part => part.Met));
        Collect(found, _source, paths, top.SourceStatus.Inode, sourceSince);
        if (areOne)
        {
            Collect(found, _source, paths, top.DestinationStatus.Inode, destinationSince);
        }
        else
        {
            var names = new InodeNames(top.Destination, top.DestinationPath);
            paths = new RelativePaths(names, second.Met);
            Collect([second], names, paths, top.DestinationStatus.Inode, destinationSince);
        }

        return true;
    }

    /// <summary>
    /// Adds the other names of files that were created again, which may be names that have not changed. Each name is processed
    /// once. Returns whether there are any.
    /// </summary>
    /// <exception cref="BtrfsException">The trees cannot be read.</exception>
    public bool AddNamesOfPlaced()
    {
        bool areAny = false;
        var paths = new RelativePaths(_source, []);
        foreach (ulong inode in run.PlacedLinks.Where(_links.Add))
        {
            foreach ((ulong directory, FileName name) in _source.Of(inode))
            {
                areAny |= paths.Of(directory, top.SourceStatus.Inode) is { } names && At(names).Add(name);
            }
        }

        return areAny;
    }

    /// <summary>Runs two searches in parallel, if a thread is available.</summary>
    private void Find(ChangedInodes first, ChangedInodes second, CancellationToken cancellation)
    {
        FirstError error = new();
        void FindSecond() => error.Try(() => second.Find(cancellation));
        var helper = new HelperThreads(Math.Min(run.Context.Descriptors.Workers - 1, 1), FindSecond);
        helper.StartOne();
        try
        {
            first.Find(cancellation);
        }
        finally
        {
            helper.Join();
        }

        if (helper.Count == 0)
        {
            FindSecond();
        }

        error.Throw();
    }

    private void Collect(ChangedInodes[] found, InodeNames inodes, RelativePaths paths, ulong topInode, ulong since)
    {
        foreach (ChangedInode inode in found.SelectMany(part => part.Changed))
        {
            if (inode.Transid <= since)
            {
                continue;
            }

            if (inode.Type == Sys.ModeDirectory)
            {
                if (paths.Of(inode.Inode, topInode) is { } directory)
                {
                    At(directory).HasOtherNames = true;
                }

                continue;
            }

            foreach ((ulong directory, FileName name) in inode.OnlyName is { } only ? [only] : inodes.Of(inode.Inode))
            {
                if (paths.Of(directory, topInode) is { } names)
                {
                    At(names).Add(name);
                }
            }
        }
    }

    private bool HasOtherNames(string key) =>
        _directories.TryGetValue(key, out ChangedDirectory? directory) && directory.HasOtherNames;

    private ChangedDirectory At(FileName[] path)
    {
        // Each byte becomes one character, and names contain no slash.
        string key = string.Join('/', path.Select(name => Encoding.Latin1.GetString(name.Span)));
        if (!_directories.TryGetValue(key, out ChangedDirectory? directory))
        {
            _directories.Add(key, directory = new ChangedDirectory(path, key));
        }

        return directory;
    }
}
