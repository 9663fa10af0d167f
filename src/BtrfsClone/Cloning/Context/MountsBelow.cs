using System.Text;
using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The mount points below a directory, as paths relative to it: a snapshot contains the directories that the mounts hide.
/// </summary>
internal sealed class MountsBelow
{
    private readonly string _prefix;
    private readonly string[] _paths;

    private MountsBelow(string prefix, string[] paths) => (_prefix, _paths) = (prefix, paths);

    /// <summary>Finds those below a directory's real path. False if the kernel does not list the mounts.</summary>
    /// <param name="directory">The path.</param>
    /// <param name="mounts">The mounts, or null if there are none.</param>
    public static bool TryFind(ReadOnlySpan<byte> directory, out MountsBelow? mounts)
    {
        List<Mount>? all = MountTable.Read();
        mounts = all is null ? null : Below(all.Select(mount => mount.Point), Encoding.Latin1.GetString(directory));
        return all is not null;
    }

    public bool Contains(ReadOnlySpan<byte> name) => _paths.Contains(Encoding.Latin1.GetString(name), StringComparer.Ordinal);

    /// <summary>Whether a directory, given by its real path, is one of these or is below one.</summary>
    public bool AreOnTheWayTo(ReadOnlySpan<byte> path)
    {
        string text = Encoding.Latin1.GetString(path).TrimEnd('\0') + "/";
        return _paths.Any(p => text.StartsWith(_prefix + p + "/", StringComparison.Ordinal));
    }

    /// <summary>Those below a subdirectory, or null if there are none.</summary>
    public MountsBelow? In(ReadOnlySpan<byte> name) => Below(_paths, Encoding.Latin1.GetString(name));

    private static MountsBelow? Below(IEnumerable<string> paths, string directory)
    {
        string prefix = directory.EndsWith('/') ? directory : directory + "/";
        string[] below = [.. paths.Where(p => p.Length > prefix.Length && p.StartsWith(prefix, StringComparison.Ordinal))
            .Select(p => p[prefix.Length..])];
        return below.Length == 0 ? null : new MountsBelow(prefix, below);
    }
}
