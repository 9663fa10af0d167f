using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Finding;

/// <summary>
/// Makes a tree of files out of few different blocks, so that the same data is everywhere: as whole files, shifted, in
/// parts, inside one file, cloned, overwritten, in holes and preallocated space, in nested subvolumes and snapshots.
/// </summary>
internal sealed class RandomDuplicates
{
    public const string Tools = "cp sync";

    private const int BlockSize = 4096;

    private readonly Random _random;
    private readonly string _root;
    private readonly bool _hasSubvolumes;
    private readonly bool _hasNoCow;
    private readonly byte[][] _blocks;
    private readonly List<string> _folders;
    private readonly List<string> _files = [];

    /// <param name="random">What chooses.</param>
    /// <param name="root">An empty folder.</param>
    /// <param name="hasSubvolumes">Whether the filesystem has subvolumes.</param>
    /// <param name="hasNoCow">Whether some files are to be NOCOW.</param>
    public RandomDuplicates(Random random, string root, bool hasSubvolumes = true, bool hasNoCow = true)
    {
        (_random, _root, _hasSubvolumes, _hasNoCow) = (random, root, hasSubvolumes, hasNoCow);
        _folders = [root];
        _blocks = new byte[random.Next(3, 60)][];
        for (int i = 0; i < _blocks.Length; i++)
        {
            // The first block is zeros, and a few can be compressed.
            _blocks[i] = new byte[BlockSize];
            random.NextBytes(_blocks[i].AsSpan(0, i == 0 ? 0 : i % 4 == 1 ? 64 : BlockSize));
        }
    }

    /// <summary>Every file, snapshots included.</summary>
    public IReadOnlyList<string> Files =>
        [.. Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public void Make()
    {
        int steps = _random.Next(3, 25);
        for (int i = 0; i < steps; i++)
        {
            Step(i);
        }
    }

    private void Step(int number)
    {
        string path = Path.Combine(_folders[_random.Next(_folders.Count)], $"f{number}");
        switch (_files.Count == 0 ? 0 : _random.Next(16))
        {
            case 0 or 1 or 2 or 3:
                Write(path, NewContent(), isNoCow: _random.Next(8) == 0);
                break;
            case 4 or 5:
                // A copy that shares nothing, perhaps kept in pieces.
                Write(path, File.ReadAllBytes(Some()), isNoCow: _random.Next(8) == 0);
                break;
            case 6 or 7:
                Write(path, Shifted(File.ReadAllBytes(Some())), isNoCow: false);
                break;
            case 8:
                Shell.Check("cp", "--reflink=auto", Some(), path);
                _files.Add(path);
                break;
            case 9 or 10:
                Overwrite(Some());
                break;
            case 11:
                Punch(Some());
                break;
            case 12:
                Preallocate(path);
                break;
            case 13:
                Truncate(Some());
                break;
            case 14:
                AddFolder($"d{number}", isSubvolume: _random.Next(2) == 0);
                break;
            default:
                Snapshot($"s{number}");
                break;
        }
    }

    private string Some() => _files[_random.Next(_files.Count)];

    private byte[] NewContent()
    {
        int blocks = _random.Next(1, 30);
        byte[] content = new byte[(blocks * BlockSize) - (_random.Next(2) == 0 ? 0 : _random.Next(BlockSize))];
        int block = _random.Next(_blocks.Length);
        for (int at = 0; at < content.Length; at += BlockSize)
        {
            // Some runs in an order, some of one block.
            block = _random.Next(4) switch { 0 => _random.Next(_blocks.Length), 1 => block, _ => (block + 1) % _blocks.Length };
            _blocks[block].AsSpan(0, Math.Min(BlockSize, content.Length - at)).CopyTo(content.AsSpan(at));
        }

        return content;
    }

    private byte[] Shifted(byte[] content)
    {
        int start = _random.Next((content.Length / BlockSize) + 1) * BlockSize;
        byte[] before = NewContent();
        return
        [
            .. before[..(before.Length / BlockSize * BlockSize)],
            .. content.AsSpan(Math.Min(start, content.Length)),
            .. _random.Next(2) == 0 ? NewContent() : [],
        ];
    }

    private void Write(string path, byte[] content, bool isNoCow)
    {
        using (SafeFileHandle file = Create(path))
        {
            if (isNoCow && _hasNoCow)
            {
                Native.AddFlags(file, InodeFlags.NoCow);
            }

            int parts = _random.Next(1, 4);
            for (int i = 0; i < parts; i++)
            {
                int start = content.Length / BlockSize * i / parts * BlockSize;
                int end = i == parts - 1 ? content.Length : content.Length / BlockSize * (i + 1) / parts * BlockSize;
                RandomAccess.Write(file, content.AsSpan(start, end - start), start);
                if (i < parts - 1 && _random.Next(2) == 0)
                {
                    RandomAccess.FlushToDisk(file);
                }
            }
        }

        _files.Add(path);
    }

    /// <summary>Makes a file that everybody may read.</summary>
    private static SafeFileHandle Create(string path)
    {
        SafeFileHandle file = Native.CreateFile(path);
        File.SetUnixFileMode(
            file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return file;
    }

    private void Overwrite(string path)
    {
        using SafeFileHandle file = Native.Open(path, write: true);
        long blocks = RandomAccess.GetLength(file) / BlockSize;
        for (int i = _random.Next(3); i >= 0 && blocks > 0; i--)
        {
            RandomAccess.FlushToDisk(file);
            RandomAccess.Write(file, _blocks[_random.Next(_blocks.Length)], _random.NextInt64(blocks) * BlockSize);
        }
    }

    private void Punch(string path)
    {
        using SafeFileHandle file = Native.Open(path, write: true);
        long blocks = RandomAccess.GetLength(file) / BlockSize;
        if (blocks > 0)
        {
            Native.PunchHole(file, _random.NextInt64(blocks) * BlockSize, _random.Next(1, 4) * BlockSize);
        }
    }

    private void Preallocate(string path)
    {
        using (SafeFileHandle file = Create(path))
        {
            int blocks = _random.Next(2, 20);
            Native.Truncate(file, blocks * BlockSize);
            Native.Preallocate(file, 0, (blocks + _random.Next(-1, 3)) * BlockSize);
            RandomAccess.FlushToDisk(file);
            RandomAccess.Write(file, _blocks[_random.Next(_blocks.Length)], _random.Next(blocks) * BlockSize);
        }

        _files.Add(path);
    }

    private void Truncate(string path)
    {
        using SafeFileHandle file = Native.Open(path, write: true);
        long length = RandomAccess.GetLength(file);

        // Not cut inside a block, whose checksum then still is that of all that was there.
        Native.Truncate(file, _random.Next(2) == 0 && length > BlockSize
            ? _random.NextInt64(1, length / BlockSize + 1) * BlockSize
            : length + _random.NextInt64(2 * BlockSize));
    }

    private void AddFolder(string name, bool isSubvolume)
    {
        string path = Path.Combine(_folders[_random.Next(_folders.Count)], name);
        if (isSubvolume && _hasSubvolumes)
        {
            Shell.Check("btrfs", "subvolume", "create", path);
        }
        else
        {
            Directory.CreateDirectory(path);
        }

        _folders.Add(path);
    }

    private void Snapshot(string name)
    {
        if (!_hasSubvolumes)
        {
            return;
        }

        // Of the root, if that is a subvolume.
        string path = Path.Combine(_root, name);
        string[] options = _random.Next(2) == 0 ? ["-r"] : [];
        if (Shell.Run("btrfs", ["subvolume", "snapshot", .. options, _root, path]).ExitCode != 0)
        {
            return;
        }

        if (options.Length == 0)
        {
            _folders.Add(path);
        }
    }
}
