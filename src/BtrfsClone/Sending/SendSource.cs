using BtrfsClone.Carrying;

namespace BtrfsClone.Sending;

/// <summary>A filesystem from which files are sent.</summary>
/// <param name="source">Gives the addresses of its data; null if they are unavailable.</param>
internal sealed class SendSource(CarrySource? source)
{
    // About 48 MB, in the worst case twice that: the ranges of some terabytes of shared data.
    private const int MostPlaces = 2 << 20;

    private bool _mayEncode = true;

    public CarrySource? Carry => source;

    /// <summary>The data of it that is in the stream.</summary>
    public PlaceTable Places { get; } = new(MostPlaces);

    /// <summary>Whether extents may be read in encoded form, as far as known.</summary>
    public bool MayEncode => _mayEncode && source is { IsBtrfs: true, MayReadTrees: true };

    /// <summary>Extents cannot be read in encoded form after all.</summary>
    public void ForgoEncoding() => _mayEncode = false;
}
