namespace BtrfsClone.Walking;

/// <summary>The remaining work in a directory of a walk, and the workers in it. It is protected by the walk's lock.</summary>
/// <remarks>
/// The following holds whenever the lock is free:
/// <list type="bullet">
/// <item>A directory is in the queue from its opening on as long as there is work in it. One without work is removed
/// when it is found there or finished.</item>
/// <item>At most one worker lists it.</item>
/// <item>It is finished once: by the worker that leaves it when no work is left, no other worker is in it and no child is
/// live. From then on it does not change, and no worker enters it.</item>
/// <item>A child holds its parent: the parent is not finished before the child is removed. While one of its children is being
/// finished, it is open, or lost.</item>
/// <item>It is only closed temporarily when no worker is in it, and each of its live children leads back to it.</item>
/// </list>
/// </remarks>
internal sealed class DirectoryWork
{
    private int _workers;
    private int _children;
    private int _childrenElsewhere;

    /// <summary>Subdirectories that were found and not entered yet.</summary>
    public NameQueue Subdirectories { get; } = new();

    /// <summary>Nothing more is to be listed.</summary>
    public bool IsListed { get; private set; }

    /// <summary>Where the listing continues if the directory had to be closed in between.</summary>
    public long ListOffset { get; private set; }

    /// <summary>A worker is currently listing it.</summary>
    public bool IsBeingListed { get; private set; }

    /// <summary>All of its entries were listed so far: no call has failed, and the walk was not stopped in it.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>It could not be opened again: its entries are inaccessible.</summary>
    public bool IsLost { get; private set; }

    /// <summary>It is being finished.</summary>
    public bool IsFinishing { get; private set; }

    /// <summary>It is in the queue.</summary>
    public bool IsQueued { get; set; }

    public bool HasWork => !IsListed || !Subdirectories.IsEmpty;

    public bool HasWorkers => _workers > 0;

    public bool HasChildren => _children > 0;

    /// <summary>No worker is in it, and its children lead back to it, so that it can be opened again from them.</summary>
    public bool MayBeClosed => _workers == 0 && _children > 0 && _childrenElsewhere == 0 && !IsFinishing;

    /// <summary>Resets it for another directory.</summary>
    public void Begin()
    {
        _workers = _children = _childrenElsewhere = 0;
        Subdirectories.Clear();
        IsListed = IsBeingListed = IsLost = IsFinishing = IsQueued = false;
        IsWhole = true;
        ListOffset = 0;
    }

    /// <summary>Nothing below the directory is to be walked.</summary>
    public void PassOver() => IsListed = true;

    public void Enter() => _workers++;

    /// <summary>A worker leaves. Returns whether this worker has to finish the directory.</summary>
    public bool Leave()
    {
        _workers--;
        IsFinishing = !HasWork && _workers == 0 && _children == 0;
        return IsFinishing;
    }

    public void BeginListing() => IsBeingListed = true;

    /// <summary>Adds a listed entry, and its name if it is a directory to enter.</summary>
    public void AddListed(long nextOffset, ReadOnlySpan<byte> subdirectory)
    {
        ListOffset = nextOffset;
        if (!subdirectory.IsEmpty)
        {
            Subdirectories.Add(subdirectory);
        }
    }

    /// <param name="isEnd">Nothing more is to be listed.</param>
    /// <param name="isWhole">No entry is missing.</param>
    public void EndListing(bool isEnd, bool isWhole)
    {
        IsBeingListed = false;
        IsListed |= isEnd;
        IsWhole &= isWhole;
    }

    /// <param name="leadsUp">Whether the child's own <c>..</c> leads to everything that this directory represents.</param>
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

    /// <summary>The remaining work is dropped.</summary>
    public void GiveUp()
    {
        Subdirectories.Clear();
        IsListed = true;
        IsWhole = false;
    }

    /// <summary>It is inaccessible.</summary>
    public void Lose()
    {
        IsLost = true;
        GiveUp();
    }
}
