namespace BtrfsClone.Walking;

/// <summary>
/// What is left to do in a directory of a walk, and who is at it. It is guarded by the walk's lock.
/// </summary>
/// <remarks>
/// What holds whenever the lock is free:
/// <list type="bullet">
/// <item>A directory is in the queue from its opening on for as long as work is left in it. One without work comes out
/// when it is met there or finished.</item>
/// <item>At most one worker lists it.</item>
/// <item>It is finished once: by the worker that leaves it when nothing is left, nobody else is in it and no child is
/// live. From then on nothing of it changes, and nobody enters it.</item>
/// <item>A child holds its parent: that is not finished before the child is removed. While one of its children is being
/// finished, it is open, or lost.</item>
/// <item>It is closed for a while only when nobody is in it, and each of its live children leads back to it.</item>
/// </list>
/// </remarks>
internal sealed class DirectoryWork
{
    private int _workers;
    private int _children;
    private int _childrenElsewhere;

    /// <summary>Directories that were found in it and not entered yet.</summary>
    public NameQueue Subdirectories { get; } = new();

    /// <summary>Nothing more is to be listed.</summary>
    public bool IsListed { get; private set; }

    /// <summary>Where the listing goes on when the directory had to be closed in between.</summary>
    public long ListOffset { get; private set; }

    /// <summary>A worker lists it just now.</summary>
    public bool IsBeingListed { get; private set; }

    /// <summary>
    /// All of its entries were listed so far: no call has failed, and the walk has not been stopped in it.
    /// </summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>It could not be opened again: its entries are out of reach.</summary>
    public bool IsLost { get; private set; }

    /// <summary>It is being finished.</summary>
    public bool IsFinishing { get; private set; }

    /// <summary>It is in the queue.</summary>
    public bool IsQueued { get; set; }

    public bool HasWork => !IsListed || !Subdirectories.IsEmpty;

    public bool HasWorkers => _workers > 0;

    public bool HasChildren => _children > 0;

    /// <summary>Nobody is in it, and its children lead back to it, so that it can be opened again from them.</summary>
    public bool MayBeClosed => _workers == 0 && _children > 0 && _childrenElsewhere == 0 && !IsFinishing;

    /// <summary>Begins with another directory.</summary>
    public void Begin()
    {
        _workers = _children = _childrenElsewhere = 0;
        Subdirectories.Clear();
        IsListed = IsBeingListed = IsLost = IsFinishing = IsQueued = false;
        IsWhole = true;
        ListOffset = 0;
    }

    /// <summary>Nothing below the directory is wanted.</summary>
    public void PassOver() => IsListed = true;

    public void Enter() => _workers++;

    /// <summary>A worker leaves. Returns whether it is to finish the directory.</summary>
    public bool Leave()
    {
        _workers--;
        IsFinishing = !HasWork && _workers == 0 && _children == 0;
        return IsFinishing;
    }

    public void BeginListing() => IsBeingListed = true;

    /// <summary>Takes a listed entry, and its name if it is a directory to be entered.</summary>
    public void AddListed(long nextOffset, ReadOnlySpan<byte> subdirectory)
    {
        ListOffset = nextOffset;
        if (!subdirectory.IsEmpty)
        {
            Subdirectories.Add(subdirectory);
        }
    }

    /// <param name="isEnd">Nothing more is listed.</param>
    /// <param name="isWhole">No entry is missing.</param>
    public void EndListing(bool isEnd, bool isWhole)
    {
        IsBeingListed = false;
        IsListed |= isEnd;
        IsWhole &= isWhole;
    }

    /// <param name="leadsUp">Whether the child's own <c>..</c> leads to all that this directory stands for.</param>
    public void AddChild(bool leadsUp)
    {
        _children++;
        _childrenElsewhere += leadsUp ? 0 : 1;
    }

    /// <inheritdoc cref="AddChild"/>
    public void RemoveChild(bool leadsUp)
    {
        _children--;
        _childrenElsewhere -= leadsUp ? 0 : 1;
    }

    /// <summary>What is left is not done any more.</summary>
    public void GiveUp()
    {
        Subdirectories.Clear();
        IsListed = true;
        IsWhole = false;
    }

    /// <summary>It is out of reach.</summary>
    public void Lose()
    {
        IsLost = true;
        GiveUp();
    }
}
