namespace BtrfsClone.Interop;

/// <summary>
/// Owns a descriptor until the end of a block, by <c>using</c>; it needs no heap allocation, unlike an
/// <see cref="OwnedDescriptor"/>.
/// </summary>
/// <param name="opened">A descriptor that was just opened, and that nothing else closes; none is allowed.</param>
internal ref struct DescriptorScope(Descriptor opened)
{
    private Descriptor _opened = opened;

    /// <summary>Transfers ownership: something else closes it.</summary>
    public void Release() => _opened = Descriptor.None;

    public readonly void Dispose() => Sys.Close(_opened);
}
