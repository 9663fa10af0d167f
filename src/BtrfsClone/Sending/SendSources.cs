using BtrfsClone.Carrying;
using BtrfsClone.Interop;

namespace BtrfsClone.Sending;

/// <summary>The filesystems from which files are sent. Each subvolume of a btrfs has a device number of its own.</summary>
internal sealed class SendSources
{
    private readonly Dictionary<ulong, SendSource> _byDevice = [];

    /// <summary>The filesystem of a file that is open for reading.</summary>
    public SendSource Of(Descriptor file, in Statx status)
    {
        if (!_byDevice.TryGetValue(status.Device, out SendSource? found))
        {
            Statx looked = status;
            found = _byDevice.Values.FirstOrDefault(known => known.Carry?.Holds(file, looked) == true) ??
                new SendSource(CarrySource.Find(file, status));
            _byDevice.Add(status.Device, found);
        }

        return found;
    }
}
