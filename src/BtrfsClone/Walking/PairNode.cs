using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>
/// Two directories with the same path relative to the top directories of their trees; or one of the second tree only, below a
/// directory that the reference does not have.
/// </summary>
internal sealed class PairNode : WalkNode<PairNode>
{
    private readonly string _referencePath = "";
    private readonly string _path = "";
    private int _paired;

    /// <summary>A node that <see cref="WalkNode{TNode}.Begin"/> initializes.</summary>
    public PairNode()
    {
    }

    private PairNode(string referencePath, string path) => (_referencePath, _path) = (referencePath, path);

    /// <summary>The reference has no such directory.</summary>
    public bool IsAlone { get; private set; }

    /// <summary>The reference's directory; none if the second one is unpaired.</summary>
    public Descriptor Reference;

    /// <summary>The second tree's directory.</summary>
    public Descriptor Directory;

    /// <summary>The status of the reference's directory when it was opened; unset if the second one is unpaired.</summary>
    public Statx ReferenceStatus;

    /// <summary>The status of the second tree's directory when it was opened.</summary>
    public Statx DirectoryStatus;

    /// <summary>
    /// Every entry of the second directory was listed and visited; to be checked before drawing conclusions from missing entries.
    /// It is final when the directory is left.
    /// </summary>
    public bool IsWhole => Work.IsWhole;

    /// <summary>How many entries of the second directory are known to have a counterpart of the same name in the reference.</summary>
    public int Paired => _paired;

    public override bool IsOpen => Directory.IsOpen;

    public override Descriptor Descriptor => Directory;

    /// <summary>From an unpaired directory, nothing leads to the reference's directory above it.</summary>
    public override bool LeadsUp => !IsAlone || Parent!.IsAlone;

    /// <summary>Opens the top directories of two trees; symbolic links are followed.</summary>
    /// <exception cref="BtrfsException">One of them cannot be opened.</exception>
    public static PairNode OpenTops(string referencePath, string path)
    {
        var tops = new PairNode(referencePath, path);
        try
        {
            OpenTop(referencePath, out tops.Reference, out tops.ReferenceStatus);
            OpenTop(path, out tops.Directory, out tops.DirectoryStatus);
            return tops;
        }
        catch
        {
            tops.Close();
            throw;
        }
    }

    public void AddPaired() => Interlocked.Increment(ref _paired);

    public override void Begin(PairNode parent, ReadOnlySpan<byte> name)
    {
        base.Begin(parent, name);
        _paired = 0;
        IsAlone = parent.IsAlone;
    }

    /// <summary>The reference has no such directory.</summary>
    public void StayAlone() => IsAlone = true;

    public override void Close()
    {
        Sys.Close(Reference);
        Sys.Close(Directory);
        Reference = Directory = Descriptor.None;
    }

    protected override bool OpenAgain(PairNode child) =>
        (IsAlone || OpenDirectory.Above(child.Reference, ReferenceStatus, out Reference).Succeeded) &&
        OpenDirectory.Above(child.Directory, DirectoryStatus, out Directory).Succeeded;

    /// <summary>The path of one of the directories, or of an entry in it.</summary>
    public string PathOf(bool inReference, ReadOnlySpan<byte> entry)
    {
        string directory = PathBelow(node => node.Name, node => inReference ? node._referencePath : node._path);
        return entry.IsEmpty ? directory : Join(directory, Utf8Z.ToText(entry));
    }

    private static void OpenTop(string path, out Descriptor directory, out Statx status)
    {
        SystemCall call = SystemCall.OpenAt;
        status = default;
        CallResult result = OpenDirectory.At(path, out directory);
        if (result.Succeeded)
        {
            call = SystemCall.Statx;
            result = Sys.Stat(directory, out status);
        }

        if (result.Failed)
        {
            throw BtrfsException.FromErrno(result.Error, call, path);
        }
    }
}
