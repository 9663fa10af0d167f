using System.Collections.Concurrent;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;

namespace BtrfsClone.Carrying;

/// <summary>
/// Copies files to another filesystem extent by extent. Data that the source shares goes through a <see cref="SharedPool"/> there;
/// everything else is copied directly to its file.
/// </summary>
internal sealed class ExtentCarrier(CloneContext context) : IContentCarrier
{
    private readonly Dictionary<(ulong Source, ulong Destination), CarryRoute?> _byDevice = [];
    private readonly ConcurrentBag<FileCarrier> _idle = [];

    /// <inheritdoc/>
    public long Begin(DirectoryPair directory, ref FileClone file, CancellationToken cancellation)
    {
        if (file.Status.Size == 0 || file.Status.Device == directory.DestinationStatus.Device ||
            Start(directory, ref file, cancellation) is not { } carrier)
        {
            return 0;
        }

        return carrier.TryFill(file);
    }

    /// <inheritdoc/>
    public Failure Carry(DirectoryPair directory, ref FileClone file, CancellationToken cancellation, out bool isCarried)
    {
        isCarried = false;
        using FileCarrier? carrier = file.Begun as FileCarrier ?? Start(directory, ref file, cancellation);
        file.Begun = null;
        return carrier?.Carry(directory.Destination, ref file, out isCarried) ?? default;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CarryRoute? route in _byDevice.Values)
        {
            route?.Dispose();
        }

        _byDevice.Clear();
    }

    private FileCarrier? Start(DirectoryPair directory, ref FileClone file, CancellationToken cancellation)
    {
        if (RouteOf(file, directory) is not { } route)
        {
            return null;
        }

        if (!_idle.TryTake(out FileCarrier? carrier))
        {
            carrier = new FileCarrier(context, _idle);
        }

        file.Begun = carrier;
        carrier.Start(route, directory.Destination, file, cancellation);
        return carrier;
    }

    /// <summary>The route from a file's filesystem to its clone's, or null if there is none.</summary>
    private CarryRoute? RouteOf(in FileClone file, DirectoryPair directory)
    {
        (ulong, ulong) devices = (file.Status.Device, directory.DestinationStatus.Device);
        lock (_byDevice)
        {
            if (!_byDevice.TryGetValue(devices, out CarryRoute? route))
            {
                route = CarryRoute.Find(file, directory);

                // Each subvolume has its own device number: the route may be that of another one.
                CarryRoute? known = _byDevice.Values.FirstOrDefault(other => other is not null && other.IsSameAs(route));
                route = known ?? route;
                _byDevice.Add(devices, route);
            }

            return route;
        }
    }
}
