using System.Globalization;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Faults;

/// <summary>A tree that takes a program a moment to clone, and what may be found of its clone after an interruption.</summary>
internal sealed class InterruptionTree
{
    private const int Folders = 40;
    private const int FilesInEach = 30;

    private readonly SortedDictionary<string, string> _new;
    private readonly SortedDictionary<string, string> _old;

    /// <summary>Makes it, and an older one of some of its names.</summary>
    public InterruptionTree(string folder)
    {
        Source = Path.Combine(folder, "source");
        Old = Path.Combine(folder, "old");
        Make(Source, "new", Folders);
        Make(Old, "old", Folders / 2);
        MakeFragmented(Path.Combine(Source, "fragmented"));
        for (int i = 0; i < Folders; i++)
        {
            Native.Link($"{Source}/{i}/0", $"{Source}/{(i + 7) % Folders}/link{i}");
            File.CreateSymbolicLink($"{Source}/{i}/symlink", "nowhere");
        }

        Shell.Check("sync", "--file-system", folder);
        _new = Fingerprint.Of(Source, links: false);
        _old = Fingerprint.Of(Old, links: false);
    }

    private InterruptionTree(InterruptionTree other, string folder)
    {
        Source = Path.Combine(folder, "source");
        Old = Path.Combine(folder, "old");
        (_new, _old) = (other._new, other._old);
    }

    public string Source { get; }

    /// <summary>A tree of other content under some of the same names, to be cloned over.</summary>
    public string Old { get; }

    /// <summary>The same tree where it is found below another folder.</summary>
    public InterruptionTree At(string folder) => new(this, folder);

    /// <summary>Fails unless the clone is the source in every fact.</summary>
    public void AssertWhole(string clone) =>
        Assert.Equal(Fingerprint.TextOf(Source), Fingerprint.TextOf(clone));

    /// <summary>Fails unless the source is what it was.</summary>
    public void AssertSourceIntact() => Assert.Equal(_new, Fingerprint.Of(Source, links: false));

    /// <summary>
    /// Fails where an entry is neither the old one nor the new one, but for the new ones that were being made, of which each
    /// worker can leave eight, one of them under a temporary name.
    /// </summary>
    /// <returns>How many entries were being made.</returns>
    public int AssertOldOrNew(string clone, int workers)
    {
        List<string> unfinished = [];
        int temporary = 0;
        foreach ((string path, string facts) in Fingerprint.Of(clone, links: false))
        {
            if (facts == _new.GetValueOrDefault(path) || facts == _old.GetValueOrDefault(path) || facts[0] == 'd')
            {
                continue;
            }

            bool isTemporary = Path.GetFileName(path).StartsWith(".btrfs-clone.", StringComparison.Ordinal);
            Assert.True(isTemporary || (_new.ContainsKey(path) && !_old.ContainsKey(path)), $"{path}: {facts}");
            unfinished.Add($"{path}: {facts}");
            temporary += isTemporary ? 1 : 0;
        }

        Assert.True(unfinished.Count <= 8 * workers && temporary <= workers, string.Join('\n', unfinished));
        return unfinished.Count;
    }

    private static void Make(string root, string content, int folders)
    {
        for (int i = 0; i < folders; i++)
        {
            Directory.CreateDirectory($"{root}/{i}");
            for (int j = 0; j < FilesInEach; j++)
            {
                string text = string.Concat(Enumerable.Repeat($"{content} {i} {j}\n", 1 << (j % 12)));
                File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"{root}/{i}/{j}"), text);
                if (j % 5 == 0)
                {
                    Native.SetXattr($"{root}/{i}/{j}", "user.number", [(byte)i, (byte)j]);
                    Native.Chmod($"{root}/{i}/{j}", 0x1A0);
                }
            }
        }
    }

    /// <summary>A file whose clone takes long enough to be interrupted in the middle.</summary>
    private static void MakeFragmented(string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        byte[] block = new byte[4096];
        for (int i = 0; i < 4000; i++)
        {
            block[0] = (byte)i;
            RandomAccess.Write(file, block, i * 2L * block.Length);
        }
    }
}
