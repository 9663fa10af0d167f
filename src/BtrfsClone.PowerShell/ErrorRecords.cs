using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>Turns the engine's failures into error records: id, category, target and what to do.</summary>
internal static class ErrorRecords
{
    /// <summary>The record whose id is the name of the failure's <see cref="BtrfsException.Error"/>.</summary>
    public static ErrorRecord From(BtrfsException failure) =>
        new(failure, failure.Error.ToString(), Category(failure.Error), failure.Path)
        {
            // PowerShell shows both, one below the other.
            ErrorDetails = new ErrorDetails(failure.Summary) { RecommendedAction = failure.RecommendedAction },
        };

    /// <summary>The record for a path on a drive of another provider, such as <c>Env:</c>.</summary>
    public static ErrorRecord NotFileSystem(string path, string provider) => InvalidArgument(
        "NotFileSystem",
        path,
        $"'{path}' belongs to the {provider} provider, and only files and directories can be used.",
        "Name a path on a drive of the FileSystem provider.");

    /// <summary>The record for a wildcard that matches several items where one is asked for.</summary>
    public static ErrorRecord SeveralItems(string path, int count) =>
        InvalidArgument("SeveralItems", path, $"'{path}' matches {count} items, and one is needed.", "Name one item.");

    /// <summary>The record for two parameters that contradict each other.</summary>
    public static ErrorRecord NotTogether(string parameter, string other) => InvalidArgument(
        "ParametersNotTogether", parameter, $"-{parameter} and -{other} cannot be used together.", "Leave one of them out.");

    private static ErrorRecord InvalidArgument(string id, string target, string message, string advice) =>
        new(new PSArgumentException($"{message} {advice}"), id, ErrorCategory.InvalidArgument, target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = advice },
        };

    private static ErrorCategory Category(BtrfsError error) => error switch
    {
        BtrfsError.SourceNotFound or BtrfsError.DestinationNotFound => ErrorCategory.ObjectNotFound,
        BtrfsError.DestinationExists => ErrorCategory.ResourceExists,
        BtrfsError.DestinationReadOnly or BtrfsError.PermissionDenied => ErrorCategory.PermissionDenied,
        BtrfsError.DestinationInsideSource or BtrfsError.SourceOutsideBase or BtrfsError.SameFile
            or BtrfsError.CrossDevice or BtrfsError.UnalignedRange or BtrfsError.OverlappingRanges
            or BtrfsError.RangeBeyondEnd => ErrorCategory.InvalidArgument,
        BtrfsError.CloneNotSupported or BtrfsError.NotBtrfs or BtrfsError.FiemapNotSupported
            or BtrfsError.NoCowMismatch => ErrorCategory.InvalidOperation,
        BtrfsError.SwapFile or BtrfsError.ChangedMeanwhile => ErrorCategory.ResourceBusy,
        BtrfsError.NoSpace => ErrorCategory.ResourceUnavailable,
        BtrfsError.QuotaExceeded => ErrorCategory.QuotaExceeded,
        BtrfsError.ReadOnlyFileSystem => ErrorCategory.WriteError,
        BtrfsError.TooManyLinks or BtrfsError.TooManyOpenFiles or BtrfsError.FileTooLarge =>
            ErrorCategory.LimitsExceeded,
        BtrfsError.NotSubvolume => ErrorCategory.InvalidType,
        BtrfsError.MountInBetween => ErrorCategory.InvalidOperation,
        BtrfsError.DelallocTimeout => ErrorCategory.OperationTimeout,
        BtrfsError.NotRegularFile => ErrorCategory.InvalidType,
        BtrfsError.InvalidPath => ErrorCategory.InvalidArgument,
        BtrfsError.Incomplete => ErrorCategory.OperationStopped,
        _ => ErrorCategory.DeviceError,
    };
}
