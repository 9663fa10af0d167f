using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Why one entry failed, as a value: which call, which errno, on which side. The default value is success.
/// </summary>
internal readonly record struct Fault(string? Call, int Errno, bool AtSource, BtrfsError? Meaning = null)
{
    public bool Failed => Call is not null;

    /// <summary>A failed call on the source side. <paramref name="result"/> is the negative errno.</summary>
    public static Fault Source(string call, int result) => new(call, -result, AtSource: true);

    /// <summary>A failed call on the destination side. <paramref name="result"/> is the negative errno.</summary>
    public static Fault Destination(string call, int result) => new(call, -result, AtSource: false);

    /// <summary>Nothing failed, but the clone is given up. A signal is no other call's failure: those are made again.</summary>
    public static Fault Cancelled { get; } = new("", Interop.Errno.EINTR, AtSource: false);

    /// <summary>A rule of ours that the destination breaks; no call failed.</summary>
    public static Fault Refused(BtrfsError meaning, bool atSource = false) => new("", 0, atSource, meaning);

    public BtrfsError Error => Meaning ?? ((Errno, AtSource) switch
    {
        (Interop.Errno.ENOENT, false) => BtrfsError.DestinationNotFound,
        (Interop.Errno.ENOTDIR, _) => BtrfsError.ChangedMeanwhile,
        _ => ErrorText.Classify(Errno),
    });

    public BtrfsException ToException(string path) => new(Error, path, Errno, Call ?? "");
}
