using System.Runtime.InteropServices;

namespace BtrfsClone.Interop;

/// <summary>A descriptor with an owner, who disposes of it; one that is forgotten is closed by the garbage collector.</summary>
internal sealed class OwnedDescriptor : SafeHandle
{
    /// <param name="opened">What a call has just opened, and nobody else closes.</param>
    public OwnedDescriptor(Descriptor opened)
        : base(Descriptor.None.Number, ownsHandle: true) => SetHandle(opened.Number);

    /// <summary>For calls; <see cref="Descriptor.None"/> when it is disposed of.</summary>
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
