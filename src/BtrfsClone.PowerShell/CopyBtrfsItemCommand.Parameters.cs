using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <content>What the cmdlet takes.</content>
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
    /// An existing directory, which receives each item under its own name, or the new name of a single item. Several
    /// items, wildcards and pipeline input make it a directory. It is taken as it is, without wildcards. A name with a
    /// slash at its end is a directory's. A script block or a property gives each item a destination of its own, which then is
    /// that of a single item.
    /// </summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(LiteralPathCompleter))]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>Keeps each item's path relative to this directory below the destination. Taken as it is.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(LiteralDirectoryCompleter))]
    [ValidateNotNullOrEmpty]
    public string? RelativeBasePath { get; set; }

    /// <summary>
    /// Takes the destination for the clone's own name, also where it is a directory: what is in a directory goes into that.
    /// </summary>
    [Parameter]
    [Alias("T")]
    public SwitchParameter NoTargetDirectory { get; set; }

    /// <summary>As <c>Copy-Item</c> has it: true, which is always so here. False is an error that says what does it.</summary>
    [Parameter]
    public SwitchParameter Container { get; set; }

    /// <summary>What to do with data that cannot be shared: an error, or a copy in the kernel.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public ReflinkMode Reflink { get; set; }

    /// <summary>Leaves existing files at the destination as they are, and reports them.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>
    /// Replaces also existing files that have no write permission bit, and devices, FIFOs and sockets. Wildcards in
    /// <see cref="BtrfsCmdlet.Path"/> match also names that begin with a dot.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Force { get; set; }

    /// <summary>Keeps every file that is replaced in its directory: as NAME~, or as NAME.~N~.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public BackupMode Backup { get; set; }

    /// <summary>Replaces what exists only where the source was modified later, and leaves all else without a word.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Update { get; set; }

    /// <summary>
    /// Lets all items appear at the end, each name in one step with everything below it, or none of them. A directory
    /// that exists under an item's name is an error, and an existing file is replaced.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter Atomic { get; set; }

    /// <summary>
    /// Clones the items as they stood at one moment, from a temporary read-only snapshot of their subvolume; the moment
    /// is when the first item of a subvolume is reached. The clones hold what a crash at that moment would have left;
    /// whatever a program had fsynced before it wrote something else is there whenever that is (unsynced writes may be
    /// missing, as after a crash). Each nested subvolume is a moment of its own. Needs root, or ownership of the
    /// subvolume's root directory on a filesystem mounted with user_subvol_rm_allowed, or of all directories in it.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter PointInTime { get; set; }

    /// <summary>
    /// With <c>-PointInTime</c>: where no snapshot may be taken or removed, clones without, and warns: each file is of a moment
    /// of its own.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter PerFile { get; set; }

    /// <summary>
    /// Makes of each item, which has to be a subvolume's root, a snapshot at the destination: in milliseconds at any size.
    /// Nested subvolumes, which a snapshot leaves empty, are named in warnings. Nothing that exists is replaced. Needs root or
    /// ownership of the subvolume's root directory.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = SnapshotSet)]
    [Parameter(Mandatory = true, ParameterSetName = LiteralSnapshotSet)]
    public SwitchParameter Snapshot { get; set; }

    /// <summary>Makes the snapshots read-only, those of nested subvolumes too.</summary>
    [Parameter]
    public SwitchParameter ReadOnly { get; set; }

    /// <summary>Clones a directory itself only, with its metadata, and nothing below it.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter NoRecurse { get; set; }

    /// <summary>
    /// With <c>-Snapshot</c>, makes snapshots of nested subvolumes too, in their places: of all or none. Else it changes nothing, as
    /// clones have what is below a directory anyway; an explicit false is <c>-NoRecurse</c>.
    /// </summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>
    /// Clones what symbolic links lead to in their places, also of those below items. A link that leads nowhere, or back to a
    /// directory that it is in, is an error.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter FollowSymlink { get; set; }

    /// <summary>Clones what an item leads to that is a symbolic link, under the link's name; links below it stay links.</summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter FollowNamedSymlink { get; set; }

    /// <summary>
    /// Makes files and directories NOCOW. What is not NOCOW at the source cannot be shared with them: it is an error, or is copied
    /// with <c>-Reflink Auto</c>.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter NoCow { get; set; }

    /// <summary>
    /// Makes clones NOCOW and compressed as new files in the destination's directory are, in place of what the source is. What
    /// then cannot be shared is an error, or is copied with <c>-Reflink Auto</c>.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter InheritProperty { get; set; }

    /// <summary>
    /// The compression of what is written to the clones later, and to new files in their directories: zstd, zlib, lzo or none,
    /// the first two also with a level, such as zstd:3; or Inherit for that of the destination's directory. The source's by
    /// default.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    [ArgumentCompleter(typeof(CompressionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Compression { get; set; }

    /// <summary>
    /// Leaves out other filesystems that are mounted below the given directories. Nested subvolumes belong to the filesystem.
    /// </summary>
    [Parameter(ParameterSetName = PathSet)]
    [Parameter(ParameterSetName = LiteralPathSet)]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>How many threads work on a tree; the number of processors unless given.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(ThreadCountCompleter))]
    [ValidateRange(1, CloneOptions.MaxWorkers)]
    public int ThrottleLimit { get; set; }

    /// <summary>Writes a <see cref="CloneResult"/> for each item.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }
}
