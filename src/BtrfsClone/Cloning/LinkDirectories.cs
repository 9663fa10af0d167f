using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directories of the last few first links that one worker met. Links of one directory's files mostly come one
/// after the other, and opening their directory again takes a call for each name on its path.
/// </summary>
internal sealed class LinkDirectories(int capacity)
{
    private readonly (DirectoryPair? Pair, int Descriptor)[] _open = new (DirectoryPair?, int)[capacity];
    private int _next;

    /// <summary>
    /// Returns a descriptor of the pair's destination that entries can be named by, good until the next call, or a
    /// negative errno.
    /// </summary>
    public int Open(DirectoryPair pair)
    {
        foreach ((DirectoryPair? known, int descriptor) in _open)
        {
            if (known == pair)
            {
                return descriptor;
            }
        }

        int opened = DirectoryByNames.ReopenDestination(pair);
        if (opened >= 0)
        {
            Forget(ref _open[_next]);
            _open[_next] = (pair, opened);
            _next = (_next + 1) % _open.Length;
        }

        return opened;
    }

    public void CloseAll()
    {
        for (int i = 0; i < _open.Length; i++)
        {
            Forget(ref _open[i]);
        }
    }

    private static void Forget(ref (DirectoryPair? Pair, int Descriptor) entry)
    {
        if (entry.Pair is not null)
        {
            Sys.Close(entry.Descriptor);
        }

        entry = default;
    }
}
