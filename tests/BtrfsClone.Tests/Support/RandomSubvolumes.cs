using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// A filesystem of subvolumes whose files share extents in every way there is: snapshots of snapshots, clones of files and of
/// ranges, deduplication, hard links, overwrites, holes, compression, nested subvolumes, files that are deleted and open still.
/// </summary>
internal sealed class RandomSubvolumes : IDisposable
{
    public const string Tools = "btrfs cp chattr xfs_io find sync";
    private const int Block = 4096;

    private readonly string _root;
    private readonly Random _random;
    private readonly List<string> _directories = [];
    private readonly List<string> _files = [];
    private readonly List<string> _subvolumes = [];
    private readonly List<(string Path, SafeFileHandle File)> _open = [];
    private int _names;

    public RandomSubvolumes(string root, Random random)
    {
        (_root, _random) = (root, random);
        _directories.Add(root);
    }

    /// <summary>The subvolumes and snapshots, without the top level.</summary>
    public IReadOnlyList<string> Subvolumes => _subvolumes;

    /// <summary>The directories into which can be written, the top level and subvolumes among them.</summary>
    public IReadOnlyList<string> Directories => _directories;

    /// <summary>The names of files, those in snapshots not.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>Does some steps, and has all written out.</summary>
    public void Change(int steps)
    {
        if (_subvolumes.Count == 0)
        {
            NewSubvolume();
        }

        if (_files.Count == 0)
        {
            NewFile();
        }

        for (int i = 0; i < steps; i++)
        {
            Step();
        }

        Shell.Check("sync", "--file-system", _root);
        Shell.Check("btrfs", "filesystem", "sync", _root);
    }

    /// <summary>Removes an item with all below it, whatever of it is there.</summary>
    public void Remove(string item)
    {
        // The list has the subvolumes in writable snapshots not: a snapshot has an empty directory in the place of each.
        foreach (string subvolume in _subvolumes.Where(path => IsBelow(path, item)).OrderByDescending(path => path.Length).ToList())
        {
            Shell.Check("btrfs", "subvolume", "delete", subvolume);
            _subvolumes.Remove(subvolume);
        }

        Shell.Check("rm", "--recursive", "--force", item);
        _files.RemoveAll(path => IsBelow(path, item));
        _directories.RemoveAll(path => IsBelow(path, item));
    }

    public void Dispose() => CloseDeleted(_root);

    /// <summary>Closes the deleted files below an item: a subvolume goes only when nothing of it is open any more.</summary>
    public void CloseDeleted(string item)
    {
        foreach ((_, SafeFileHandle file) in _open.Where(one => IsBelow(one.Path, item)))
        {
            file.Dispose();
        }

        _open.RemoveAll(one => IsBelow(one.Path, item));
    }

    private static bool IsBelow(string path, string item) => (path + "/").StartsWith(item + "/", StringComparison.Ordinal);

    private void Step()
    {
        switch (_random.Next(21))
        {
            case 0 or 1 or 2:
                NewFile();
                break;
            case 3 or 4 or 5:
                CloneFile();
                break;
            case 6 or 7 or 8:
                Overwrite();
                break;
            case 9 or 10:
                CloneRange();
                break;
            case 11 or 12:
                Dedupe();
                break;
            case 13:
                Link();
                break;
            case 14 or 15:
                Snapshot();
                break;
            case 16:
                NewSubvolume();
                break;
            case 17:
                _directories.Add(Directory.CreateDirectory(NewName(Pick(_directories))).FullName);
                break;
            case 18:
                Delete();
                break;
            case 19:
                using (SafeFileHandle file = OpenAny())
                {
                    Native.Truncate(file, _random.Next(30) * Block);
                }

                break;
            default:
                Shell.Check("sync", "--file-system", _root);
                break;
        }
    }

    private T Pick<T>(List<T> list) => list[_random.Next(list.Count)];

    private string NewName(string directory) => Path.Combine(directory, $"n{_names++}");

    private SafeFileHandle OpenAny() => File.OpenHandle(Pick(_files), FileMode.Open, FileAccess.ReadWrite);

    private byte[] Content(int blocks)
    {
        byte[] content = new byte[(blocks * Block) - _random.Next(Block)];
        if (_random.Next(3) > 0)
        {
            _random.NextBytes(content);
        }
        else
        {
            Array.Fill(content, (byte)_random.Next(3));
        }

        return content;
    }

    private void NewFile()
    {
        string path = NewName(Pick(_directories));
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        if (_random.Next(4) == 0)
        {
            Shell.Check("chattr", "+c", path);
        }

        if (_random.Next(6) == 0)
        {
            Native.Preallocate(file, 0, 40 * Block);
        }

        RandomAccess.Write(file, Content(_random.Next(1, 60)), 0);
        _files.Add(path);
    }

    private void CloneFile()
    {
        string path = NewName(Pick(_directories));
        Shell.Check("cp", "--reflink=always", Pick(_files), path);
        _files.Add(path);
    }

    private void Overwrite()
    {
        using SafeFileHandle file = OpenAny();
        RandomAccess.Write(file, Content(_random.Next(1, 8)), _random.Next(40) * (long)Block);
    }

    // Both may be refused: beyond the end, onto itself, what is not equal. Other steps are done instead.
    private void CloneRange() => Shell.Run(
        "xfs_io", "-c", $"reflink {Pick(_files)} {Range()}", Pick(_files));

    private void Dedupe() => Shell.Run("xfs_io", "-c", $"dedupe {Pick(_files)} {Range()}", Pick(_files));

    private string Range()
    {
        int from = _random.Next(8) * Block;
        return $"{from} {(_random.Next(2) == 0 ? from : _random.Next(30) * Block)} {_random.Next(1, 20) * Block}";
    }

    private void Link()
    {
        string file = Pick(_files);
        string directory = Pick(_directories);
        if (SubvolumeOf(file) == SubvolumeOf(directory))
        {
            string name = NewName(directory);
            Native.Link(file, name);
            _files.Add(name);
        }
    }

    private string SubvolumeOf(string path) => _subvolumes.Where(one => (path + "/").StartsWith(one + "/", StringComparison.Ordinal))
        .MaxBy(one => one.Length) ?? _root;

    private void Snapshot()
    {
        string source = Pick(_subvolumes);
        string path = NewName(Pick(_directories));
        bool isWritable = _random.Next(2) == 0;
        Shell.Check("btrfs", ["subvolume", "snapshot", .. isWritable ? Array.Empty<string>() : ["-r"], source, path]);
        _subvolumes.Add(path);
        if (!isWritable)
        {
            return;
        }

        _directories.Add(path);
        string[] inside = [.. _files.Where(file => SubvolumeOf(file) == source)];
        _files.AddRange(inside.Select(file => path + file[source.Length..]));
    }

    private void NewSubvolume()
    {
        string path = NewName(Pick(_directories));
        Shell.Check("btrfs", "subvolume", "create", path);
        _subvolumes.Add(path);
        _directories.Add(path);
    }

    private void Delete()
    {
        if (_files.Count < 4)
        {
            return;
        }

        string path = Pick(_files);
        if (_random.Next(2) == 0 && Shell.Check("stat", "--format=%h", path) == "1\n")
        {
            _open.Add((path, File.OpenHandle(path)));
        }

        File.Delete(path);
        _files.Remove(path);
    }
}
