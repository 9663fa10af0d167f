using BtrfsClone.Carrying;

namespace BtrfsClone.Sending;

/// <summary>A filesystem that files are sent from.</summary>
/// <param name="source">What tells where its data lies; null where nothing does.</param>
internal sealed class SendSource(CarrySource? source)
{
    // 48 MB or so, at worst twice that: the ranges of some terabytes that are shared.
    private const int MostPlaces = 2 << 20;

    private bool _mayEncode = true;

    public CarrySource? Carry => source;

    /// <summary>What of it is in the stream.</summary>
    public PlaceTable Places { get; } = new(MostPlaces);

    /// <summary>Whether extents may be read as they are stored, as far as that was tried.</summary>
    public bool MayEncode => _mayEncode && source is { IsBtrfs: true, MayReadTrees: true };

    /// <summary>Extents cannot be read as they are stored, after all.</summary>
    public void ForgoEncoding() => _mayEncode = false;
}
