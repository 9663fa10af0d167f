using BtrfsClone.Interop;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>What a random tree is to hold.</summary>
public sealed record TreeShape
{
    public int Files { get; init; } = 250;

    public int WideEntries { get; init; } = 3000;

    public int Depth { get; init; } = 64;

    /// <summary>NOCOW files and directories; <c>cp --reflink=always</c> fails on them.</summary>
    public bool Nocow { get; init; } = true;

    /// <summary>Space preallocated beyond a file's end, which no clone can share.</summary>
    public bool BeyondEnd { get; init; } = true;

    /// <summary>How long holes may be, in bytes: who reads files whole has to read them, too.</summary>
    public long LongestHole { get; init; } = 1L << 40;

    /// <summary>Immutable and append-only files and directories.</summary>
    public bool Frozen { get; init; }

    /// <summary>What only root can make: devices, other owners, trusted attributes, capabilities, subvolumes.</summary>
    public bool Privileged { get; init; } = TestMachine.NoRoot is null;

    /// <summary>The user and group that all entries belong to; null for the process's own, or as random as may be.</summary>
    public uint? Owner { get; init; }
}

/// <summary>
/// Makes a tree with every kind of entry that a file system can hold and most of what one can carry, the same for the
/// same seed.
/// </summary>
public sealed class RandomTree
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "setfacl xargs sync btrfs";

    private const int MaxNesting = 6;

    private readonly string _root;
    private readonly TreeShape _shape;
    private readonly Random _random;
    private readonly RandomNames _names;
    private readonly RandomContent _content;
    private readonly RandomMetadata _metadata;
    private readonly List<Folder> _folders = [];
    private readonly List<(string Path, Folder Folder)> _entries = [];
    private readonly List<string> _overwritable = [];

    private RandomTree(string root, int seed, TreeShape shape)
    {
        _root = ByteText.FromText(root);
        _shape = shape;
        _random = new Random(seed);
        _names = new RandomNames(_random);
        _content = new RandomContent(_random, shape.BeyondEnd, shape.LongestHole);
        _metadata = new RandomMetadata(_random, shape);
    }

    /// <summary>Makes the tree.</summary>
    /// <param name="root">Its top directory, which must not exist yet.</param>
    /// <param name="seed">The same seed makes the same tree.</param>
    /// <param name="shape">What it is to hold, or null for all but frozen entries.</param>
    public static void Make(string root, int seed, TreeShape? shape = null)
    {
        RandomTree tree = new(root, seed, shape ?? new TreeShape());
        tree.MakeFolders();
        tree.MakeFiles();
        tree.MakeSpecialFiles();
        tree.MakeLinks();
        tree.MakeWideFolder();
        tree.MakeDeepFolder();
        tree.OverwritePieces(root);
        tree.MakeSnapshots();
        tree._metadata.Dress();
    }

    private void MakeFolders()
    {
        Folder top = new(_root, 0, Subvolume: 0, Nocow: false);
        MakeFolder(top);

        // Their own paths are plain, for the command line; what lies in them is as random as elsewhere.
        for (int i = 1; _shape.Privileged && i <= 2; i++)
        {
            string path = $"{_root}/subvolume{i}";
            Shell.Check("btrfs", "subvolume", "create", path);
            _metadata.AddDirectory(path);
            _folders.Add(new Folder(path, 1, i, Nocow: false));
        }

        for (int i = 0; i < 40; i++)
        {
            Folder parent = Pick(_folders.Where(f => f.Nesting < MaxNesting));
            string path = NewPath(parent);
            MakeFolder(parent with
            {
                Path = path,
                Nesting = parent.Nesting + 1,
                Nocow = parent.Nocow || (_shape.Nocow && _random.Next(12) == 0),
            });
        }
    }

    private void MakeFolder(Folder folder)
    {
        Native.MakeDirectory(folder.Path);
        _metadata.AddDirectory(folder.Path);
        _folders.Add(folder);
        if (folder.Nocow)
        {
            Native.AddFlags(folder.Path, InodeFlags.NoCow);
        }
        else if (_random.Next(5) == 0)
        {
            Native.SetXattr(folder.Path, "btrfs.compression", Compression());
        }
    }

    private void MakeFiles()
    {
        List<string> plain = [];
        for (int i = 0; i < _shape.Files; i++)
        {
            Folder folder = Pick(_folders.Where(f => !f.TakesNoFiles));
            string path = NewPath(folder);
            using SafeFileHandle file = Native.CreateFile(path);
            bool nocow = folder.Nocow || (_shape.Nocow && _random.Next(10) == 0);
            if (nocow)
            {
                Native.AddFlags(file, InodeFlags.NoCow);
            }
            else if (_random.Next(5) == 0)
            {
                Native.SetXattr(path, "btrfs.compression", Compression());
            }
            else if (_random.Next(20) == 0)
            {
                Native.AddFlags(file, _random.Next(2) == 0 ? InodeFlags.Compress : InodeFlags.NoCompress);
            }

            if (!nocow && plain.Count > 0 && _random.Next(15) == 0)
            {
                using SafeFileHandle other = Native.Open(Pick(plain), write: false);
                Native.Clone(other, file);
            }
            else if (_content.Fill(file))
            {
                _overwritable.Add(path);
            }

            if (!nocow)
            {
                plain.Add(path);
            }

            _metadata.AddFile(path);
            _entries.Add((path, folder));
        }
    }

    private void MakeSpecialFiles()
    {
        for (int i = 0; i < 12; i++)
        {
            MakeNode(Sys.ModeFifo);
            MakeNode(Sys.ModeSocket);
            if (_shape.Privileged)
            {
                MakeNode(Sys.ModeCharDevice, (uint)_random.Next(1, 4096), (uint)_random.Next(1 << 20));
                MakeNode(Sys.ModeBlockDevice, (uint)_random.Next(1, 256), (uint)_random.Next(256));
            }
        }
    }

    private void MakeNode(uint type, uint major = 0, uint minor = 0)
    {
        Folder folder = Pick(_folders.Where(f => !f.TakesNoFiles));
        string path = NewPath(folder);
        Native.MakeNode(path, type, major, minor);
        _metadata.AddSpecial(path);
        _entries.Add((path, folder));
    }

    private void MakeLinks()
    {
        // btrfs keeps a target in one inline extent, so that it ends before a block does.
        string[] targets =
        [
            "nowhere", "/etc/passwd", "..", ".", "/", "../../x", "-n", "new\nline", "\u00ff\u00fe", new string('l', 3900),
        ];
        for (int i = 0; i < 40; i++)
        {
            Folder folder = Pick(_folders.Where(f => !f.TakesNoFiles));
            string path = NewPath(folder);
            string target = _random.Next(3) switch
            {
                0 => Pick(_folders).Path,
                1 => Pick(_entries).Path,
                _ => targets[_random.Next(targets.Length)],
            };
            Native.MakeSymlink(target, path);
            _metadata.AddSymlink(path);
            _entries.Add((path, folder));
        }

        for (int i = 0; i < 60; i++)
        {
            // A few inodes get many names, and no name lies in another subvolume than its inode.
            (string existing, Folder home) = Pick(_entries.Take(_random.Next(2) == 0 ? 5 : _entries.Count));
            Folder folder = Pick(_folders.Where(f => !f.TakesNoFiles && f.Subvolume == home.Subvolume));
            Native.Link(existing, NewPath(folder));
        }
    }

    private void MakeWideFolder()
    {
        string wide = $"{_root}/wide";
        Native.MakeDirectory(wide);
        _metadata.AddDirectory(wide);
        for (int i = 0; i < _shape.WideEntries; i++)
        {
            string path = i % 50 == 0 ? $"{wide}/{_names.Next(utf8: false)}" : $"{wide}/entry{i}";
            using (SafeFileHandle file = Native.CreateFile(path))
            {
                if (i % 10 == 0)
                {
                    RandomAccess.Write(file, BitConverter.GetBytes(i), 0);
                }
            }

            _metadata.AddPlain(path);
        }
    }

    private void MakeDeepFolder()
    {
        string path = $"{_root}/deep";
        for (int i = 0; i < _shape.Depth; i++)
        {
            Native.MakeDirectory(path);
            _metadata.AddDirectory(path);
            using (SafeFileHandle file = Native.CreateFile($"{path}/file"))
            {
                RandomAccess.Write(file, BitConverter.GetBytes(i), 0);
            }

            _metadata.AddFile($"{path}/file");
            path += $"/level{i}";
        }
    }

    private void OverwritePieces(string root)
    {
        Shell.Check("sync", "--file-system", root);
        foreach (string path in _overwritable)
        {
            using SafeFileHandle file = Native.Open(path, write: true);
            _content.Overwrite(file);
        }
    }

    private void MakeSnapshots()
    {
        if (_shape.Privileged)
        {
            Shell.Check("btrfs", "subvolume", "snapshot", $"{_root}/subvolume1", $"{_root}/snapshot");
            Shell.Check("btrfs", "subvolume", "snapshot", "-r", $"{_root}/subvolume2", $"{_root}/read-only snapshot");
            _metadata.AddDirectory($"{_root}/snapshot");
        }
    }

    private string NewPath(Folder folder) => $"{folder.Path}/{_names.Next(utf8: folder.Nesting == 0)}";

    private ReadOnlySpan<byte> Compression() => _random.Next(3) switch
    {
        0 => "zlib"u8,
        1 => "lzo"u8,
        _ => "zstd"u8,
    };

    private T Pick<T>(IEnumerable<T> from)
    {
        List<T> all = from.ToList();
        return all[_random.Next(all.Count)];
    }

    /// <param name="Path">Its full path, as byte text.</param>
    /// <param name="Nesting">How many directories lie between it and the top.</param>
    /// <param name="Subvolume">The number of its subvolume within the tree.</param>
    /// <param name="Nocow">Whether files in it become NOCOW.</param>
    private sealed record Folder(string Path, int Nesting, int Subvolume, bool Nocow)
    {
        /// <summary>Whether it holds no files, so that some directories are empty.</summary>
        public bool TakesNoFiles => Path.Length % 7 == 0 && Nesting > 1;
    }
}
