namespace BtrfsClone.Finding;

/// <summary>A block, or the first one of a run of equal blocks, sorted by its key.</summary>
/// <param name="Key">The key of its content.</param>
/// <param name="Order">Its <see cref="BlockOrder"/>.</param>
internal readonly record struct Seed(ulong Key, ulong Order) : IComparable<Seed>
{
    public int CompareTo(Seed other) => Key != other.Key ? Key.CompareTo(other.Key) : Order.CompareTo(other.Order);
}

/// <summary>A block that equals another one, which is kept; sorted by its own slot.</summary>
/// <param name="Order">Its own <see cref="BlockOrder"/>.</param>
/// <param name="Source">The <see cref="BlockOrder"/> of the other one.</param>
internal readonly record struct Link(ulong Order, ulong Source) : IComparable<Link>
{
    public int CompareTo(Link other) => BlockOrder.SlotOf(Order).CompareTo(BlockOrder.SlotOf(other.Order));
}
