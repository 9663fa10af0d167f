namespace BtrfsClone.Interop;

/// <summary>
/// Owns a descriptor until the end of a block, by <c>using</c>; a number in a register, where an
/// <see cref="OwnedDescriptor"/> is an object.
/// </summary>
/// <param name="opened">What a call has just opened, and nobody else closes; there is nothing to close in none.</param>
internal ref struct DescriptorScope(Descriptor opened)
{
    private Descriptor _opened = opened;

    /// <summary>Somebody else has taken it over, and closes it.</summary>
    public void Release() => _opened = Descriptor.None;

    public readonly void Dispose() => Sys.Close(_opened);
}
