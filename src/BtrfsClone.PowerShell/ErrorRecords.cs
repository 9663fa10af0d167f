using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <summary>Converts the engine's failures to error records: id, category, target and recommended action.</summary>
internal static class ErrorRecords
{
    /// <summary>The record whose id is the name of the failure's <see cref="BtrfsException.Error"/>.</summary>
    public static ErrorRecord From(BtrfsException failure)
    {
        (string id, ErrorCategory category) = (failure.Error.ToString(), Category(failure.Error));

        // For a missing item, scripts catch PowerShell's own exception; otherwise an IOException.
        ErrorRecord record = category == ErrorCategory.ObjectNotFound
            ? new BtrfsItemNotFoundException(failure).ToRecord(id, category)
            : new ErrorRecord(failure, id, category, failure.Path);

        // PowerShell shows both, one below the other.
        record.ErrorDetails = new ErrorDetails(failure.Message) { RecommendedAction = failure.Advice(OptionNames.Of) };
        return record;
    }

    /// <summary>The record for a path on a drive of another provider, such as <c>Env:</c>.</summary>
    public static ErrorRecord NotFileSystem(string path, string provider) => InvalidArgument(
        "NotFileSystem",
        path,
        $"'{path}' belongs to the {provider} provider, and only files and directories can be used.",
        "Name a path on a drive of the FileSystem provider.");

    /// <summary>The record for a wildcard that matches several items if only one is allowed.</summary>
    public static ErrorRecord SeveralItems(string path, int count) =>
        InvalidArgument("SeveralItems", path, $"'{path}' matches {count} items, and one is needed.", "Name one item.");

    /// <summary>The record for two parameters that exclude each other.</summary>
    public static ErrorRecord NotTogether(string parameter, string other) => InvalidArgument(
        "ParametersNotTogether", parameter, $"-{parameter} and -{other} cannot be used together.", "Leave one of them out.");

    /// <summary>The record for a parameter that requires another one.</summary>
    public static ErrorRecord NeedsParameter(string parameter, string other) => InvalidArgument(
        "ParameterNeeded", parameter, $"-{parameter} needs -{other}.", $"Add -{other}, or leave it out.");

    /// <summary>The record for a parameter that cannot be used with several items, or with the pipeline.</summary>
    public static ErrorRecord OneItemOnly(string parameter) => InvalidArgument(
        "OneItemOnly", parameter, $"-{parameter} takes one item, named by -Path or -LiteralPath.", "Leave it out, or name one item.");

    /// <summary>The record for a parameter that cannot be used with a destination for each item.</summary>
    public static ErrorRecord NeedsOneDestination(string parameter) => InvalidArgument(
        "OneDestinationOnly", parameter, $"-{parameter} needs one -Destination for all items.",
        $"Name the destination, or leave -{parameter} out and give each item its whole path there.");

    /// <summary>The record for an item of an atomic clone whose destination is another directory than the first one's.</summary>
    public static ErrorRecord SeveralDirectories(string path) => InvalidArgument(
        "SeveralDirectories", path, $"'{path}' is in another directory than the destinations before it, and -Atomic needs one for all.",
        "Use one command for each directory, or leave -Atomic out.");

    /// <summary>The record for <c>-Container:$false</c>.</summary>
    public static ErrorRecord NoContainer() => InvalidArgument(
        "ContainerNotSupported",
        "Container",
        "Directories are always kept, and -Container:$false would put the files of all of them into one.",
        "To put what is in a directory into the destination, use -NoTargetDirectory; " +
        "to clone all files into one directory, pipe Get-ChildItem -Recurse -File to Copy-BtrfsItem.");

    /// <summary>The record for an invalid compression.</summary>
    public static ErrorRecord InvalidCompression(string value) => InvalidArgument(
        "InvalidCompression", value, $"'{value}' is no compression of btrfs.", $"Write {CompressionProperty.Choices}.");

    /// <summary>The record for a pattern that can never match.</summary>
    public static ErrorRecord InvalidPattern(ArgumentException failure) => InvalidArgument(
        "InvalidPattern", failure.Message, failure.Message, "Write a name, or names with '/' between them.");

    private static ErrorRecord InvalidArgument(string id, string target, string message, string advice) =>
        new(new PSArgumentException($"{message} {advice}"), id, ErrorCategory.InvalidArgument, target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = advice },
        };

    private static ErrorCategory Category(BtrfsError error) => error switch
    {
        BtrfsError.SourceNotFound or BtrfsError.DestinationNotFound => ErrorCategory.ObjectNotFound,
        BtrfsError.DestinationExists or BtrfsError.JustCreated => ErrorCategory.ResourceExists,
        BtrfsError.DestinationReadOnly or BtrfsError.PermissionDenied => ErrorCategory.PermissionDenied,
        BtrfsError.DestinationInsideSource or BtrfsError.SourceOutsideBase or BtrfsError.LinkCycle or BtrfsError.SameFile
            or BtrfsError.CrossDevice or BtrfsError.UnalignedRange or BtrfsError.OverlappingRanges
            or BtrfsError.RangeBeyondEnd or BtrfsError.NameTooLong => ErrorCategory.InvalidArgument,
        BtrfsError.CloneNotSupported or BtrfsError.NotBtrfs or BtrfsError.FiemapNotSupported
            or BtrfsError.NoCowMismatch or BtrfsError.MetadataNotSupported or BtrfsError.OwnerNotMapped =>
            ErrorCategory.InvalidOperation,
        BtrfsError.SwapFile or BtrfsError.FileBusy or BtrfsError.ChangedMeanwhile => ErrorCategory.ResourceBusy,
        BtrfsError.NoSpace or BtrfsError.OutOfMemory => ErrorCategory.ResourceUnavailable,
        BtrfsError.QuotaExceeded => ErrorCategory.QuotaExceeded,
        BtrfsError.ReadOnlyFileSystem => ErrorCategory.WriteError,
        BtrfsError.TooManyLinks or BtrfsError.TooManyOpenFiles or BtrfsError.FileTooLarge =>
            ErrorCategory.LimitsExceeded,
        BtrfsError.NotSubvolume => ErrorCategory.InvalidType,
        BtrfsError.MountInBetween => ErrorCategory.InvalidOperation,
        BtrfsError.DelallocTimeout => ErrorCategory.OperationTimeout,
        BtrfsError.NotRegularFile or BtrfsError.NotADirectory => ErrorCategory.InvalidType,
        BtrfsError.InvalidPath => ErrorCategory.InvalidArgument,
        BtrfsError.Incomplete => ErrorCategory.OperationStopped,
        BtrfsError.LeftBehind => ErrorCategory.WriteError,
        BtrfsError.ProcNotMounted => ErrorCategory.ResourceUnavailable,
        _ => ErrorCategory.DeviceError,
    };
}
