using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Why one entry failed, as a value: which call, which errno, on which side. The default value means success.</summary>
/// <param name="Call">The call that failed, if any.</param>
/// <param name="Errno">Its error number, if it is known.</param>
/// <param name="AtSource">Whether the source's path is to be reported.</param>
/// <param name="Meaning">Its meaning; null means that of the errno.</param>
/// <param name="IsNamed">Whether the path was given by the caller, not found by listing a directory.</param>
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

    /// <summary>Nothing failed, but the clone is abandoned. No other call fails because of a signal: these calls are retried.</summary>
    public static Failure Cancelled { get; } = new(SystemCall.None, Interop.Errno.EINTR, AtSource: false);

    /// <summary>The destination violates one of our rules; no call failed.</summary>
    public static Failure Refused(ErrorMeaning meaning, bool atSource = false) =>
        new(SystemCall.None, Errno.None, atSource, meaning);

    public BtrfsError Error => MeaningOrUsual.Error;

    /// <summary>The failure to look up a path given by the caller.</summary>
    public Failure OnPath() => this with { IsNamed = true };

    /// <summary>The failure to undo something: an entry is left at that path.</summary>
    public BtrfsException Leaving(string path) => new(new ErrorMeaning(BtrfsError.LeftBehind), path, Call, Errno);

    public BtrfsException ToException(string path) => new(MeaningOrUsual, path, Call, Errno);

    private ErrorMeaning MeaningOrUsual => Meaning ?? ErrorTable.Of(Call, Errno, AtSource, IsNamed);
}
