using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Why one entry failed, as a value: which call, which errno, on which side. The default value is success.
/// </summary>
/// <param name="Call">The call that failed, if one did.</param>
/// <param name="Errno">Its error number, if it is known.</param>
/// <param name="AtSource">Whether it is the source's path that is to be named.</param>
/// <param name="Meaning">What it means; what the errno does if null.</param>
/// <param name="IsNamed">Whether somebody gave the path, and not a directory that was listed.</param>
internal readonly record struct Failure(
    SystemCall Call, Errno Errno, bool AtSource, ErrorMeaning? Meaning = null, bool IsNamed = false)
{
    public bool Failed => Errno != Errno.None || Meaning is not null;

    /// <summary>A failed call on the source side.</summary>
    public static Failure Source(SystemCall call, CallResult result) => new(call, result.Error, AtSource: true);

    /// <summary>A failed call on the destination side.</summary>
    public static Failure Destination(SystemCall call, CallResult result) => new(call, result.Error, AtSource: false);

    /// <summary>A failed call that works on both sides.</summary>
    public static Failure Between(SystemCall call, CallResult result) =>
        new(call, result.Error, ErrorTable.IsOfSource(call, result.Error));

    /// <summary>Nothing failed, but the clone is given up. A signal is no other call's failure: those are made again.</summary>
    public static Failure Cancelled { get; } = new(SystemCall.None, Interop.Errno.EINTR, AtSource: false);

    /// <summary>A rule of ours that the destination breaks; no call failed.</summary>
    public static Failure Refused(ErrorMeaning meaning, bool atSource = false) =>
        new(SystemCall.None, Errno.None, atSource, meaning);

    public BtrfsError Error => MeaningOrUsual.Error;

    /// <summary>The failure of looking up a path that somebody gave.</summary>
    public Failure OnPath() => this with { IsNamed = true };

    /// <summary>The failure to undo something: what has that path stays.</summary>
    public BtrfsException Leaving(string path) => new(new ErrorMeaning(BtrfsError.LeftBehind), path, Call, Errno);

    public BtrfsException ToException(string path) => new(MeaningOrUsual, path, Call, Errno);

    private ErrorMeaning MeaningOrUsual => Meaning ?? ErrorTable.Of(Call, Errno, AtSource, IsNamed);
}
