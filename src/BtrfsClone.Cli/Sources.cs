using BtrfsClone.Cloning;

namespace BtrfsClone.Cli;

/// <summary>The sources to clone: arguments, and names in a file.</summary>
/// <param name="Arguments">The arguments.</param>
/// <param name="List">The file, <c>-</c> for standard input, or null.</param>
/// <param name="HasZeros">Whether the names in it are null-terminated, not terminated by a line feed.</param>
internal sealed record Sources(string[] Arguments, string? List, bool HasZeros)
{
    /// <summary>The item of an argument.</summary>
    /// <exception cref="BtrfsException">It is empty, or a dangling link.</exception>
    public static CloneSource Find(string word) => CloneSource.Of(FullPath.Of(word), word);

    /// <summary>The items, found lazily. Those that cannot be found are reported.</summary>
    /// <param name="run">Receives failures and warnings.</param>
    /// <param name="isCovered">
    /// Whether an item was already cloned with a parent directory: a list such as that of find(1) contains a directory, followed by
    /// its entries.
    /// </param>
    public IEnumerable<CloneSource> Read(Invocation run, Func<string, bool> isCovered)
    {
        HashSet<CloneSource> given = [];
        foreach (string word in Arguments)
        {
            CloneSource? item = null;
            run.Try(() => item = Find(word));
            if (item is not null && given.Add(item))
            {
                yield return item;
            }
            else if (item is not null)
            {
                run.Warn($"{PathText.Printable(word)}: is given more than once, and cloned once.");
            }
        }

        if (List is null)
        {
            yield break;
        }

        string file = List == "-" ? "/dev/stdin" : FullPath.Of(List);
        foreach (string name in ByteLines.Read(file, HasZeros ? (byte)0 : (byte)'\n'))
        {
            CloneSource? item = null;
            run.Try(() => item = Find(name));
            if (item is not null && !isCovered(item.Path))
            {
                yield return item;
            }
        }
    }
}
