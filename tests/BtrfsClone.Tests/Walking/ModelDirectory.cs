namespace BtrfsClone.Tests.Walking;

/// <summary>A directory of a <see cref="WalkModel"/>, and what has been done with it.</summary>
internal sealed class ModelDirectory(ModelDirectory? parent, string name)
{
    public ModelDirectory? Parent { get; } = parent;

    public string Name { get; } = name;

    public List<ModelDirectory> Children { get; } = [];

    public int Listed { get; set; }

    public bool ListedToEnd { get; set; }

    public bool IsBeingListed { get; set; }

    public bool Failed { get; set; }

    public bool IsLost { get; set; }

    public int Entered { get; set; }

    public int Finished { get; set; }

    public int Removed { get; set; }
}
