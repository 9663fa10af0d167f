namespace BtrfsClone.Syncing;

/// <summary>
/// Numbers of inodes that several threads search: a thread that has come to the end of its part takes half of what another has
/// still before it. So nobody has to know where among all numbers the inodes are, and no two threads search the same ones.
/// </summary>
internal sealed class InodeRanges
{
    private readonly List<Part> _parts = [];
    private Part? _whole;

    /// <param name="first">The least number.</param>
    /// <param name="last">The greatest.</param>
    public InodeRanges(ulong first, ulong last) => _whole = new Part(first, last);

    /// <summary>Gives a thread a part to search. Null where there is none that could be shared.</summary>
    /// <param name="ended">The one that it has searched before.</param>
    public Part? Take(Part? ended)
    {
        lock (_parts)
        {
            Part? taken = _whole;
            _whole = null;
            if (ended is not null)
            {
                _parts.Remove(ended);
            }

            taken ??= _parts.MaxBy(part => part.Left)?.Split();
            if (taken is not null)
            {
                _parts.Add(taken);
            }

            return taken;
        }
    }

    /// <summary>Says how far a part has been read, so that nobody takes that over any more.</summary>
    /// <param name="part">The part.</param>
    /// <param name="inode">The last number that was read.</param>
    /// <returns>The last number of the part by now: what was read beyond it, somebody else finds.</returns>
    public ulong Reach(Part part, ulong inode)
    {
        lock (_parts)
        {
            part.Reached = Math.Min(inode, part.Last);
            return part.Last;
        }
    }

    /// <summary>What one thread searches.</summary>
    /// <param name="first">The least number.</param>
    /// <param name="last">The greatest.</param>
    internal sealed class Part(ulong first, ulong last)
    {
        public ulong First { get; } = first;

        /// <summary>The greatest number, for as long as nobody else takes it.</summary>
        public ulong Last { get; private set; } = last;

        public ulong Reached { get; set; } = first;

        public ulong Left => Last - Reached;

        /// <summary>Takes off the half that is farther away.</summary>
        public Part? Split()
        {
            if (Left == 0)
            {
                return null;
            }

            ulong end = Last;
            Last = Reached + (Left / 2);
            return new Part(Last + 1, end);
        }
    }
}
