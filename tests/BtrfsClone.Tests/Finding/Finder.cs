using BtrfsClone.Finding;

namespace BtrfsClone.Tests.Finding;

/// <summary>A search that has ended, with what it told.</summary>
internal sealed class Finder
{
    private Finder(List<BtrfsDuplicate> groups, List<BtrfsException> failures, long stale) =>
        (Groups, Failures, Stale) = (groups, failures, stale);

    public List<BtrfsDuplicate> Groups { get; }

    public List<BtrfsException> Failures { get; }

    public long Stale { get; }

    public static Finder Run(FindOptions options, params string[] paths)
    {
        List<BtrfsException> failures = [];
        FindSession session = new(options, new SessionEvents { OnFailure = failures.Add });
        List<BtrfsDuplicate> groups = [.. session.Find(paths, CancellationToken.None)];
        return new Finder(groups, failures, session.Progress.Stale);
    }

    /// <summary>The groups of a search that nothing fails in.</summary>
    public static List<BtrfsDuplicate> Find(FindOptions options, params string[] paths)
    {
        Finder finder = Run(options, paths);
        Assert.Empty(finder.Failures);
        Assert.Equal(0, finder.Stale);
        return finder.Groups;
    }

    /// <summary>A group as text: what it is, and its places below a folder in the order of their paths.</summary>
    public static string Text(BtrfsDuplicate group, string folder)
    {
        IEnumerable<string> places = group.Places
            .Select(place => $"{Path.GetRelativePath(folder, place.Path)}@{place.Offset}")
            .Order(StringComparer.Ordinal);
        return $"{group.Kind} {group.Length} x{group.Count}: {string.Join(' ', places)}";
    }
}
