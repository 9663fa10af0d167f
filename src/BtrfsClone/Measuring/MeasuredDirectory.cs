using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Measuring;

/// <summary>A directory whose files are measured.</summary>
internal sealed class MeasuredDirectory : WalkNode<MeasuredDirectory>
{
    private readonly string? _path;
    private Descriptor _descriptor;

    /// <summary>Creates an empty node.</summary>
    public MeasuredDirectory()
    {
    }

    /// <summary>The directory where the walk starts, or a single file that is measured.</summary>
    public MeasuredDirectory(string path, Descriptor descriptor, in Statx status) =>
        (_path, _descriptor, Status) = (path, descriptor, status);

    public Statx Status;

    /// <summary>The id of its subvolume; 0 if it is unknown.</summary>
    public ulong Subvolume { get; set; }

    /// <summary>Its entry in the ledger; null if there is none.</summary>
    public EntryUsage? Usage { get; set; }

    public override bool IsOpen => _descriptor.IsOpen;

    public override Descriptor Descriptor => _descriptor;

    public string Path => PathBelow(_ => _.Name, _ => _._path!);

    public string PathOf(ReadOnlySpan<byte> name) => Join(Path, Utf8Z.ToText(name));

    /// <summary>Opens it below its parent, and determines its subvolume. EXDEV if another filesystem is mounted there.</summary>
    public CallResult Enter(out SystemCall call)
    {
        CallResult result = OpenDirectory.Found(Parent!.Descriptor, Parent.Status, Name, out _descriptor, out Status, out call);
        Subvolume = Parent.Subvolume;
        if (result.Failed || Status.Device == Parent.Status.Device)
        {
            return result;
        }

        call = SystemCall.InoLookup;
        result = Sys.SubvolumeId(_descriptor, out ulong subvolume);
        Subvolume = subvolume;
        if (result.Failed)
        {
            Close();
        }

        return result;
    }

    public override void Close()
    {
        Sys.Close(_descriptor);
        _descriptor = Interop.Descriptor.None;
    }

    protected override bool OpenAgain(MeasuredDirectory child) =>
        OpenDirectory.Above(child._descriptor, Status, out _descriptor).Succeeded;
}
