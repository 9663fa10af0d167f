using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>
/// The engine's one exception: which call failed on which path, with which errno, and what that means.
/// Failures inside a tree are handed out as values of this type and never thrown.
/// </summary>
public sealed class BtrfsException : IOException
{
    private readonly string _advice;

    /// <summary>Describes a failure of no system call.</summary>
    /// <param name="error">What it means.</param>
    /// <param name="path">The path that it happened on.</param>
    /// <param name="description">What went wrong, as a few words with numbers in them, or null for the usual ones.</param>
    public BtrfsException(BtrfsError error, string path, string? description = null)
        : this(new ErrorMeaning(error, description), path)
    {
    }

    /// <summary>Describes the failure of a system call that a front end has made.</summary>
    /// <param name="error">What it means.</param>
    /// <param name="path">The path that it happened on.</param>
    /// <param name="errno">The kernel's error number (positive).</param>
    /// <param name="call">The system call or ioctl by name.</param>
    public BtrfsException(BtrfsError error, string path, int errno, string call)
        : this(new ErrorMeaning(error), path, errno, call)
    {
    }

    /// <summary>Describes a failure by its meaning, and the call that failed if one did.</summary>
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

    /// <summary>What went wrong.</summary>
    public BtrfsError Error { get; }

    /// <summary>The path that it happened on, as <see cref="PathText"/> has it.</summary>
    public string Path { get; }

    /// <summary>The kernel's error number (positive), or 0 where no call failed.</summary>
    public int Errno { get; }

    /// <summary>The system call or ioctl that failed, such as <c>FICLONE</c>; empty where none did.</summary>
    public string Call { get; }

    /// <summary>What went wrong, as a few words without the path.</summary>
    public string Description { get; }

    /// <summary>The call that failed and why, as a few words; empty where none did.</summary>
    public string Cause => ErrorText.Cause(Description, Errno, Call);

    /// <summary>What the user can do about it, as one sentence.</summary>
    /// <param name="spelling">How the front end spells an option of the engine.</param>
    /// <returns>The sentence.</returns>
    public string Advice(Func<EngineOption, string> spelling)
    {
        ArgumentNullException.ThrowIfNull(spelling);
        return ErrorText.Render(_advice, spelling);
    }

    /// <summary>The same failure, of another path: of a file that is known by another name outside.</summary>
    internal BtrfsException At(string path) => new(new ErrorMeaning(Error, Description, _advice), path, Errno, Call);

    /// <summary>The exception of a call that failed, with the errno's meaning.</summary>
    /// <param name="errno">The error number.</param>
    /// <param name="call">The call that returned it.</param>
    /// <param name="path">The path that was read.</param>
    /// <param name="isNamed">Whether somebody gave that path, and not a directory that was listed.</param>
    internal static BtrfsException FromErrno(Errno errno, SystemCall call, string path, bool isNamed = true) =>
        new(ErrorTable.Of(call, errno, atSource: true, isNamed), path, call, errno);

    /// <summary>As above, of a number.</summary>
    internal static BtrfsException FromErrno(int errno, SystemCall call, string path) => FromErrno((Errno)errno, call, path);
}
