using System.Globalization;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Carrying;

/// <summary>
/// A random tree whose files share whatever they may: whole, in ranges at any blocks, with themselves, with parts overwritten,
/// preallocated and punched out since; and where it is asked for, with snapshots and compressed.
/// </summary>
internal sealed class SharedTree
{
    private const int Block = 4096;

    private readonly Random _random;
    private readonly string _root;
    private readonly bool _isBtrfs;
    private readonly List<string> _files = [];

    private SharedTree(string root, int seed, bool isBtrfs)
    {
        (_root, _random, _isBtrfs) = (root, new Random(seed), isBtrfs);
    }

    /// <summary>Makes one.</summary>
    /// <param name="root">Its folder, which is made.</param>
    /// <param name="seed">What it comes from.</param>
    /// <param name="isBtrfs">Whether snapshots, compression and NOCOW are there to be had.</param>
    public static void Make(string root, int seed, bool isBtrfs) => new SharedTree(root, seed, isBtrfs).Make();

    private void Make()
    {
        string first = Path.Combine(_root, "first");
        Directory.CreateDirectory(_root);
        if (_isBtrfs)
        {
            Shell.Check("btrfs", "subvolume", "create", first);
        }
        else
        {
            Directory.CreateDirectory(first);
        }

        for (int i = 0; i < 6; i++)
        {
            AddFile(Path.Combine(first, $"file{i}"), isPacked: _isBtrfs && i == 4);
        }

        Change(_random.Next(5, 25));
        Shell.Check("sync", "--file-system", _root);
        if (_isBtrfs && _random.Next(2) == 0)
        {
            string second = Path.Combine(_root, "second");
            Shell.Check("btrfs", "subvolume", "snapshot", first, second);
            _files.AddRange(Directory.GetFiles(second));
        }

        Change(_random.Next(5, 15));
        Dress();
        Shell.Check("sync", "--file-system", _root);
    }

    /// <summary>Gives files owners, modes, xattrs, ACLs, other names, and times to the nanosecond.</summary>
    private void Dress()
    {
        foreach (string file in _files)
        {
            switch (_random.Next(6))
            {
                case 0:
                    Shell.Check("chown", $"{_random.Next(70_000)}:{_random.Next(70_000)}", file);
                    Shell.Check("chmod", Convert.ToString(_random.Next(4096), 8), file);
                    break;
                case 1:
                    Shell.Check("setfattr", "--name", "user.some", "--value", $"{_random.Next()}", file);
                    break;
                case 2:
                    Shell.Check("setfacl", "--modify", $"user:{_random.Next(70_000)}:r", file);
                    break;
                case 3:
                    Shell.Check("ln", file, file + ".link");
                    break;
            }

            Shell.Check("touch", "--date", $"@{_random.Next()}.{_random.Next(1_000_000_000):D9}", file);
        }

        Shell.Check("touch", "--date", $"@{_random.Next()}", Path.Combine(_root, "first"));
    }

    private void AddFile(string path, bool isPacked)
    {
        using (File.Create(path))
        {
        }

        if (isPacked)
        {
            Shell.Check("btrfs", "property", "set", path, "compression", "zstd");
        }

        _files.Add(path);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        Write(file, 0, _random.Next(1, 60 * Block));
    }

    private void Change(int times)
    {
        for (int i = 0; i < times; i++)
        {
            using SafeFileHandle file = Native.Open(Pick(), write: true);
            long size = RandomAccess.GetLength(file);
            switch (_random.Next(8))
            {
                case 0 or 1:
                    Write(file, _random.NextInt64(size + (4 * Block)), _random.Next(1, 9 * Block));
                    break;
                case 2:
                    Write(file, BlockIn(size), Block);
                    break;
                case 3:
                    RandomAccess.SetLength(file, _random.NextInt64(size + (8 * Block)));
                    break;
                case 4 when _random.Next(2) == 0:
                    _ = Sys.Preallocate(Descriptor.Borrow(file), BlockIn(size + (16 * Block)), _random.Next(1, 6) * Block);
                    break;
                case 5:
                    CloneWhole();
                    break;
                default:
                    CloneRange(file, size);
                    break;
            }
        }
    }

    private void CloneWhole()
    {
        string from = Pick();
        string to = $"{from}.{_files.Count.ToString(CultureInfo.InvariantCulture)}";
        Shell.Check("cp", "--archive", "--reflink=always", from, to);
        _files.Add(to);
    }

    private void CloneRange(SafeFileHandle from, long size)
    {
        using SafeFileHandle to = Native.Open(Pick(), write: true);
        long length = Math.Min(_random.Next(1, 30) * Block, size / Block * Block);
        if (length > 0)
        {
            // What overlaps itself, or is NOCOW on one side, the kernel refuses.
            long begin = BlockIn(size - length + 1);
            _ = Sys.CloneRange(Descriptor.Borrow(from), Descriptor.Borrow(to), new FileCloneRange
            {
                SourceOffset = (ulong)begin,
                SourceLength = (ulong)length,
                DestinationOffset = (ulong)BlockIn(RandomAccess.GetLength(to) + (9 * Block)),
            });
        }
    }

    private string Pick() => _files[_random.Next(_files.Count)];

    private long BlockIn(long size) => _random.NextInt64(Math.Max(size, 1)) / Block * Block;

    private void Write(SafeFileHandle file, long offset, int length)
    {
        byte[] bytes = new byte[length];
        if (_random.Next(3) > 0)
        {
            // Half of it can be packed.
            for (int i = 0; i < length; i += 2 * 256)
            {
                _random.NextBytes(bytes.AsSpan(i, Math.Min(256, length - i)));
            }
        }
        else if (_random.Next(2) == 0)
        {
            _random.NextBytes(bytes);
        }

        RandomAccess.Write(file, bytes, offset);
        if (_random.Next(3) == 0)
        {
            RandomAccess.FlushToDisk(file);
        }
    }
}
