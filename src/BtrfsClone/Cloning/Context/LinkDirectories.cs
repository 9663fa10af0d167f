using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// The directories of the last few first links that one worker met. Links of one directory's files mostly come one
/// after the other, and opening their directory again takes a call for each name on its path.
/// </summary>
internal sealed class LinkDirectories(int capacity)
{
    private readonly (DirectoryPair? Pair, Descriptor Descriptor)[] _open = new (DirectoryPair?, Descriptor)[capacity];
    private int _next;

    /// <summary>
    /// Opens the pair's destination, as something that entries can be named by. It is closed here, with the next call at
    /// the earliest.
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
