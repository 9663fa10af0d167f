using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>A descriptor that its owner disposes of; the garbage collector closes one that is forgotten.</summary>
internal sealed class OwnedDescriptor : SafeHandle
{
    /// <param name="opened">A descriptor that was just opened, and that nothing else closes.</param>
    public OwnedDescriptor(Descriptor opened)
        : base(Descriptor.None.Number, ownsHandle: true) => SetHandle(opened.Number);

    /// <summary>For use in calls; <see cref="Descriptor.None"/> after disposal.</summary>
    public Descriptor Descriptor => IsClosed ? Descriptor.None : Descriptor.FromKernel((int)handle);

    /// <inheritdoc/>
    public override bool IsInvalid => !Descriptor.FromKernel((int)handle).IsOpen;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Sys.Close(Descriptor.FromKernel((int)handle));
        return true;
    }
}
