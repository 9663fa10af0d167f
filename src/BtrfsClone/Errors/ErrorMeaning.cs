namespace BtrfsClone;

/// <summary>The meaning of a failure for the user.</summary>
/// <param name="Error">Its kind.</param>
/// <param name="What">What went wrong, as a short phrase; null means the default of the kind.</param>
/// <param name="Advice">
/// What to do about it, as a sentence in which an option is a member of <see cref="EngineOption"/> in braces; null means the
/// default of the kind.
/// </param>
internal readonly record struct ErrorMeaning(BtrfsError Error, string? What = null, string? Advice = null)
{
    /// <summary>A directory exists instead of a file, or the other way round; neither ever replaces the other.</summary>
    public static ErrorMeaning OtherTypeInTheWay { get; } =
        new(BtrfsError.DestinationExists, "something of another type is in the way, and is left as it is");

    /// <summary>As above, in a sync, which could replace it.</summary>
    public static ErrorMeaning OtherTypeToDelete { get; } = OtherTypeInTheWay with { Advice = "Use {Delete} to replace it." };

    /// <summary>
    /// A sync of a file to a directory, or the other way round: both paths must be those of the trees or of the files themselves.
    /// </summary>
    public static ErrorMeaning OtherTypeAtTheTop { get; } = OtherTypeInTheWay with
    {
        Advice = "Source and destination name the files or the directories themselves: of a directory, name the file in it.",
    };

    /// <summary>A device, a FIFO or a socket exists there, and may only be replaced if forced.</summary>
    public static ErrorMeaning SpecialInTheWay { get; } = new(
        BtrfsError.DestinationExists, "a device, a FIFO or a socket is in the way, and is left as it is",
        "Use {Force} to replace it, or name another destination.");

    /// <summary>A mount in the source: none of its data can be shared with the destination.</summary>
    public static ErrorMeaning OtherFileSystemMounted { get; } = new(
        BtrfsError.CrossDevice, "another filesystem is mounted here, with which the destination cannot share extents",
        "Leave it out with {OneFileSystem}, or let it be copied with {ReflinkAuto}.");

    /// <summary>A backup would take the name of another entry that is cloned.</summary>
    public static ErrorMeaning BackupNameTaken { get; } = new(
        BtrfsError.JustCreated, "its backup would have the name of something else that is cloned",
        "Use numbered backups, or clone the two into different directories.");

    /// <summary>The existing destination is kept as requested.</summary>
    public static ErrorMeaning KeptAsAsked { get; } =
        new(BtrfsError.DestinationExists, Advice: "Leave out {NoClobber} to replace it, or name another destination.");

    /// <summary>A pipe, a device or a directory, which cannot be replaced atomically by a stream.</summary>
    public static ErrorMeaning NoFileForStream { get; } = new(
        BtrfsError.NotRegularFile,
        Advice: "Name a file. For a pipe use the program, in PowerShell as well: btrfs-clone send DIR | btrfs receive DIR.");

    /// <summary>A file became shorter while it was written to a stream.</summary>
    public static ErrorMeaning Shrunk { get; } = new(
        BtrfsError.ChangedMeanwhile, "it got smaller while it was read; the stream has what it still held",
        "Send it again when nothing writes to it, or send a snapshot.");

    /// <summary>A path in a stream that leaves too little room for the path of the receiver's directory.</summary>
    public static ErrorMeaning PathTooLongToReceive { get; } = new(
        BtrfsError.NameTooLong, "its path is longer than 'btrfs receive' takes, and it is left out",
        "Send a directory further down, or give the directories on the way shorter names.");

    /// <summary>An xattr that no btrfs with the usual node size can store.</summary>
    public static ErrorMeaning XattrTooLargeToReceive { get; } = new(
        BtrfsError.MetadataNotSupported, "it has an extended attribute that btrfs does not hold, which is left out",
        "Make its value smaller than 16 KiB, or remove the attribute.");

    /// <summary>Two directories with the same name would become the same subvolume.</summary>
    public static ErrorMeaning SubvolumeNameTaken { get; } = new(
        BtrfsError.JustCreated, "a directory of the same name is in the stream already",
        "Send it in a stream of its own, and receive that in another directory.");

    /// <summary>The root directory has no name that could be the name of a subvolume.</summary>
    public static ErrorMeaning NoSubvolumeName { get; } = new(
        BtrfsError.InvalidPath, "the root directory has no name that a subvolume could get",
        "Name the directories in it, or mount it somewhere else, too (mount --bind), and name that.");

    public static implicit operator ErrorMeaning(BtrfsError error) => new(error);
}
