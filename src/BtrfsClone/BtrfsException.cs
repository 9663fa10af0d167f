using BtrfsClone.Interop;

namespace BtrfsClone;

/// <summary>
/// The engine's one exception: which call failed on which path, with which errno, and what that means.
/// Failures inside a tree are handed out as values of this type and never thrown.
/// </summary>
public sealed class BtrfsException : IOException
{
    /// <summary>Describes the failure of a system call.</summary>
    /// <param name="error">What it means.</param>
    /// <param name="path">The path that it happened on.</param>
    /// <param name="errno">The kernel's error number (positive), or 0 where no call failed.</param>
    /// <param name="call">The system call or ioctl by name, or an empty string where no call failed.</param>
    /// <param name="description">What went wrong, as a few words with numbers in them, or null for the usual ones.</param>
    public BtrfsException(BtrfsError error, string path, int errno = 0, string call = "", string? description = null)
        : base($"{ErrorText.Summary(description ?? ErrorText.What(error), path, errno, call)} {ErrorText.Advice(error, call)}")
    {
        Description = description ?? ErrorText.What(error);
        Error = error;
        Path = path;
        Errno = errno;
        Call = call;
    }

    /// <summary>What went wrong.</summary>
    public BtrfsError Error { get; }

    /// <summary>The path that it happened on; bytes that are not UTF-8 are shown as U+FFFD.</summary>
    public string Path { get; }

    /// <summary>The kernel's error number (positive), or 0 where no call failed.</summary>
    public int Errno { get; }

    /// <summary>The system call or ioctl that failed, such as <c>FICLONE</c>; empty where none did.</summary>
    public string Call { get; }

    /// <summary>What happened to which path, as one sentence: the message without the advice that ends it.</summary>
    public string Summary => ErrorText.Summary(Description, Path, Errno, Call);

    /// <summary>What went wrong, as a few words without the path.</summary>
    public string Description { get; }

    /// <summary>What the user can do about it, as one sentence.</summary>
    public string RecommendedAction => ErrorText.Advice(Error, Call);

    /// <summary>Makes the exception for an errno, taking the errno's usual meaning.</summary>
    /// <param name="errno">The kernel's error number (positive).</param>
    /// <param name="call">The call that returned it.</param>
    /// <param name="path">The path it was called for.</param>
    internal static BtrfsException FromErrno(int errno, string call, string path) =>
        new(ErrorText.Classify(errno), path, errno, call);
}
