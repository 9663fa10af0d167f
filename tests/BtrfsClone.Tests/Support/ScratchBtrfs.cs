namespace BtrfsClone.Tests.Support;

/// <summary>
/// The btrfs that the tests work on: a scratch image, or a folder of its own below the one that
/// <see cref="TestMachine.FolderVariable"/> names. Tests of its collection run one after another.
/// </summary>
public sealed class ScratchBtrfs : IDisposable
{
    public const string Name = "scratch btrfs";

    /// <summary>Sparse; the tests write a few hundred megabytes of it.</summary>
    private const long ImageSize = 8L << 30;

    private readonly ScratchImage? _image;
    private readonly ScratchFolder? _folder;
    private int _folders;

    public ScratchBtrfs()
    {
        if (TestMachine.NoBtrfs is not null)
        {
            // Every test of the collection is skipped, but the runner makes the fixture nonetheless.
            Root = "";
            return;
        }

        if (TestMachine.Folder is null)
        {
            _image = new ScratchImage(ImageSize, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
            Root = _image.Root;
            return;
        }

        _folder = new ScratchFolder(TestMachine.Folder, Remove);
        Root = Path.Combine(_folder.Path, "tests");
        Directory.CreateDirectory(Root);
    }

    /// <summary>A folder on btrfs, the scratch file system's root where there is one.</summary>
    public string Root { get; }

    /// <summary>The scratch file system's block device; for tests that are <see cref="RootFactAttribute"/>s.</summary>
    public string Device => _image?.Device ?? throw new InvalidOperationException("No scratch image is in use.");

    /// <summary>Whether looking at a file leaves its access time alone: not in a folder that somebody else mounted.</summary>
    public bool KeepsAccessTimes => _image is not null;

    /// <summary>Makes an empty folder on the btrfs. It is gone, with all in it, after the last test.</summary>
    public string NewFolder()
    {
        if (_image is { IsMounted: false })
        {
            // One test says so; those after it are not to fail for the same.
            _image.Mount();
            throw new InvalidOperationException(
                $"The scratch filesystem was unmounted from {Root} while the tests ran, and not by them. The test before " +
                "may have failed for that alone. It is mounted again.");
        }

        return Directory.CreateDirectory(Path.Combine(Root, $"test{Interlocked.Increment(ref _folders)}")).FullName;
    }

    public void Dispose()
    {
        _image?.Dispose();
        _folder?.Dispose();
    }

    private static void Remove(string folder)
    {
        // What keeps rm out: flags that only root can have set, and folders without write permission.
        string root = Path.Combine(folder, "tests");
        Shell.Run("chattr", "-R", "-f", "-i", "-a", root);
        Shell.Run("chmod", "--recursive", "u+rwX", root);
        Shell.Check("rm", "--recursive", "--force", root);
    }
}
