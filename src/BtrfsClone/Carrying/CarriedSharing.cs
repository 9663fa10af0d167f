using BtrfsClone.Cloning;

namespace BtrfsClone.Carrying;

/// <summary>Makes sessions preserve sharing when they copy to another filesystem.</summary>
public static class CarriedSharing
{
    /// <summary>
    /// The same options, with which <see cref="ReflinkMode.Auto"/> copies each extent once to another btrfs or xfs, and shares it
    /// there as at the source. With <see cref="ReflinkMode.Always"/> nothing is copied, and nothing changes.
    /// </summary>
    /// <param name="options">How to clone.</param>
    public static CloneOptions KeepingSharing(this CloneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Reflink == ReflinkMode.Auto
            ? options with { NewCarrier = context => new ExtentCarrier(context) }
            : options;
    }
}
