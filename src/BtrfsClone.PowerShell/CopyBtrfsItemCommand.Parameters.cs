using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <content>The parameters of the cmdlet.</content>
public sealed partial class CopyBtrfsItemCommand
{
    private const string SnapshotSet = "Snapshot";
    private const string LiteralSnapshotSet = "LiteralSnapshot";

    /// <inheritdoc/>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = SnapshotSet)]
    [ItemToPath]
    [SupportsWildcards]
    public override string[] Path { get; set; } = [];

    /// <inheritdoc/>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralSnapshotSet)]
    [Alias("PSPath", "LP")]
    public override string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// An existing directory, which receives each item under its own name, or the new name of a single item. With several items,
    /// wildcards or pipeline input it is a directory. It is used literally, without wildcards. A name with a trailing slash is a
    /// directory. A script block or a property gives each item a destination of its own, which is then that of a single item.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Keeps each item's path relative to this directory below the destination. Used literally.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(LiteralDirectoryCompleter))]
    [ValidateNotNullOrEmpty]
    public string? RelativeBasePath { get; set; }

    /// <summary>
    /// Uses the destination as the name of the clone, even if it is a directory: the contents of a directory are then cloned into
    /// it.
    /// </summary>
    [Parameter]
    [Alias("T")]
    public SwitchParameter NoTargetDirectory { get; set; }

    /// <summary>As in <c>Copy-Item</c>: true, which is always the case here. False is an error that states the alternative.</summary>
    [Parameter]
    public SwitchParameter Container { get; set; }

    /// <summary>What to do with data that cannot be shared: report an error, or copy it in the kernel.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public ReflinkMode Reflink { get; set; }

    /// <summary>Keeps existing files at the destination unchanged, and reports them.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>
    /// Also replaces existing files without a write permission bit, and devices, FIFOs and sockets. Wildcards in
    /// <see cref="BtrfsCmdlet.Path"/> also match names that begin with a dot.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Force { get; set; }

    /// <summary>Keeps every replaced file in its directory: as NAME~, or as NAME.~N~.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public BackupMode Backup { get; set; }

    /// <summary>Replaces an existing file only if the source was modified later, and silently keeps all others.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Update { get; set; }

    /// <summary>
    /// Makes all items appear at the end, each name atomically with everything below it, or none of them. An existing directory
    /// with an item's name is an error, and an existing file is replaced.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Atomic { get; set; }

    /// <summary>
    /// Clones the items as they were at one point in time, from a temporary read-only snapshot of their subvolume, taken when the
    /// first item of the subvolume is reached. The clones hold what a crash at that moment would have left; data that a program had
    /// fsynced before it wrote other data is present whenever the other data is (unsynced writes may be missing, as after a crash).
    /// Each nested subvolume has its own point in time. Requires root, or ownership of the subvolume's root directory on a
    /// filesystem mounted with user_subvol_rm_allowed, or of all directories in it.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter PointInTime { get; set; }

    /// <summary>
    /// With <c>-PointInTime</c>: if no snapshot may be created or removed, clones without one, and warns: each file then has its
    /// own point in time.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter PerFile { get; set; }

    /// <summary>
    /// Creates a snapshot of each item, which has to be a subvolume's root, at the destination: in milliseconds at any size. Nested
    /// subvolumes, which are empty in a snapshot, are listed in warnings. Existing entries are not replaced. Requires root or
    /// ownership of the subvolume's root directory.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = SnapshotSet)]
    [Parameter(Mandatory = true, ParameterSetName = LiteralSnapshotSet)]
    public SwitchParameter Snapshot { get; set; }

    /// <summary>Makes the snapshots read-only, including those of nested subvolumes.</summary>
    [Parameter]
    public SwitchParameter ReadOnly { get; set; }

    /// <summary>Clones only a directory itself, with its metadata, and nothing below it.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter NoRecurse { get; set; }

    /// <summary>
    /// With <c>-Snapshot</c>, also creates snapshots of nested subvolumes, in their places: of all or of none. Otherwise it has no
    /// effect, since clones always include everything below a directory; an explicit false means <c>-NoRecurse</c>.
    /// </summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>
    /// Clones the targets of symbolic links in their places, including links below items. A link that is dangling, or leads back to
    /// a parent directory, is an error.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter FollowSymlink { get; set; }

    /// <summary>If an item is a symbolic link, clones its target under the link's name; links below it are cloned as links.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter FollowNamedSymlink { get; set; }

    /// <summary>
    /// Makes files and directories NOCOW. They cannot share data that is not NOCOW at the source: this is an error, or the data is
    /// copied with <c>-Reflink Auto</c>.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter NoCow { get; set; }

    /// <summary>
    /// Clones get NOCOW and compression from the destination directory, as new files there do, instead of from the source. Data
    /// that then cannot be shared is an error, or is copied with <c>-Reflink Auto</c>.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter InheritProperty { get; set; }

    /// <summary>
    /// The compression of data written to the clones later, and of new files in their directories: zstd, zlib, lzo or none, the
    /// first two also with a level, such as zstd:3; or Inherit for that of the destination directory. By default the source's.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(CompressionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Compression { get; set; }

    /// <summary>
    /// Skips other filesystems that are mounted below the given directories. Nested subvolumes count as part of the filesystem.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>The number of threads that clone a tree; by default the number of processors.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ThreadCountCompleter))]
    [ValidateRange(1, CloneOptions.MaxWorkers)]
    public int ThrottleLimit { get; set; }

    /// <summary>Writes a <see cref="CloneResult"/> for each item.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }
}
