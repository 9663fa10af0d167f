using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directories of the most recent first links that one worker encountered. Links of one directory's files are mostly
/// consecutive, and opening their directory again takes one call per name of its path.
/// </summary>
internal sealed class LinkDirectories(int capacity)
{
    private readonly (DirectoryPair? Pair, Descriptor Descriptor)[] _open = new (DirectoryPair?, Descriptor)[capacity];
    private int _next;

    /// <summary>
    /// Opens the pair's destination to name entries in it. It is closed by this object, at the earliest in the next call.
    /// </summary>
    public CallResult Open(DirectoryPair pair, out Descriptor opened)
    {
        foreach ((DirectoryPair? known, Descriptor descriptor) in _open)
        {
            if (known == pair)
            {
                opened = descriptor;
                return CallResult.Success;
            }
        }

        CallResult result = DirectoryByNames.ReopenDestination(pair, out opened);
        if (result.Succeeded)
        {
            Forget(ref _open[_next]);
            _open[_next] = (pair, opened);
            _next = (_next + 1) % _open.Length;
        }

        return result;
    }

    public void CloseAll()
    {
        for (int i = 0; i < _open.Length; i++)
        {
            Forget(ref _open[i]);
        }
    }

    private static void Forget(ref (DirectoryPair? Pair, Descriptor Descriptor) entry)
    {
        Sys.Close(entry.Descriptor);
        entry = default;
    }
}
