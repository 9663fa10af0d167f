using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>
/// The only exception of the engine: which call failed on which path, with which errno, and what that means. Failures inside a tree
/// are passed to callbacks as values of this type and never thrown.
/// </summary>
public sealed class BtrfsException : IOException
{
    private readonly string _advice;

    /// <summary>Describes a failure without a system call.</summary>
    /// <param name="error">The kind of error.</param>
    /// <param name="path">The path of the failure.</param>
    /// <param name="description">The cause, as a short phrase with numbers, or null for the default text.</param>
    public BtrfsException(BtrfsError error, string path, string? description = null)
        : this(new ErrorMeaning(error, description), path)
    {
    }

    /// <summary>Describes the failure of a system call made by a front end.</summary>
    /// <param name="error">The kind of error.</param>
    /// <param name="path">The path of the failure.</param>
    /// <param name="errno">The kernel's error number (positive).</param>
    /// <param name="call">The name of the system call or ioctl.</param>
    public BtrfsException(BtrfsError error, string path, int errno, string call)
        : this(new ErrorMeaning(error), path, errno, call)
    {
    }

    /// <summary>Describes a failure by its meaning, and the call that failed, if any.</summary>
    internal BtrfsException(in ErrorMeaning meaning, string path, SystemCall call = SystemCall.None, Errno errno = Interop.Errno.None)
        : this(meaning, path, (int)errno, call.Name())
    {
    }

    private BtrfsException(in ErrorMeaning meaning, string path, int errno, string call)
        : base(ErrorText.Summary(meaning.What ?? ErrorText.What(meaning.Error), path, errno, call))
    {
        Description = meaning.What ?? ErrorText.What(meaning.Error);
        _advice = meaning.Advice ?? ErrorText.Advice(meaning.Error);
        Error = meaning.Error;
        Path = path;
        Errno = errno;
        Call = call;
    }

    /// <summary>The kind of error.</summary>
    public BtrfsError Error { get; }

    /// <summary>The path of the failure, encoded as in <see cref="PathText"/>.</summary>
    public string Path { get; }

    /// <summary>The kernel's error number (positive), or 0 if no call failed.</summary>
    public int Errno { get; }

    /// <summary>The system call or ioctl that failed, such as <c>FICLONE</c>; empty if none did.</summary>
    public string Call { get; }

    /// <summary>What went wrong, as a short phrase without the path.</summary>
    public string Description { get; }

    /// <summary>The call that failed and why, as a short phrase; empty if none did.</summary>
    public string Cause => ErrorText.Cause(Description, Errno, Call);

    /// <summary>What the user can do about it, as one sentence.</summary>
    /// <param name="spelling">How the front end names an option of the engine.</param>
    /// <returns>The sentence.</returns>
    public string Advice(Func<EngineOption, string> spelling)
    {
        ArgumentNullException.ThrowIfNull(spelling);
        return ErrorText.Render(_advice, spelling);
    }

    /// <summary>The same failure with another path: of a file that callers know by another name.</summary>
    internal BtrfsException At(string path) => new(new ErrorMeaning(Error, Description, _advice), path, Errno, Call);

    /// <summary>The exception for a failed call, with the meaning of the errno.</summary>
    /// <param name="errno">The error number.</param>
    /// <param name="call">The call that returned it.</param>
    /// <param name="path">The path that was accessed.</param>
    /// <param name="isNamed">Whether the path was given by the caller, not found by listing a directory.</param>
    internal static BtrfsException FromErrno(Errno errno, SystemCall call, string path, bool isNamed = true) =>
        new(ErrorTable.Of(call, errno, atSource: true, isNamed), path, call, errno);

    /// <summary>As above, for an error number.</summary>
    internal static BtrfsException FromErrno(int errno, SystemCall call, string path) => FromErrno((Errno)errno, call, path);
}
