using System.Globalization;
using System.Security.Cryptography;
using BtrfsClone.Finding;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>How much is read of files that are compared as a whole.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ProbeTests(ScratchBtrfs btrfs)
{
    private const int Size = 1 << 20;
    private const int Files = 30;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact]
    public void Of_files_that_differ_in_size_or_at_the_beginning_no_more_is_read()
    {
        byte[] same = RandomNumberGenerator.GetBytes(Size);
        byte[] changed = [.. same];
        changed[^1] ^= 1;
        Write("one", same);
        Write("other", same);
        Write("changed", changed);
        for (int i = 0; i < Files; i++)
        {
            Write($"size{i}", RandomNumberGenerator.GetBytes(Size + 4096 + i));
            Write($"beginning{i}", RandomNumberGenerator.GetBytes(Size));
        }

        long before = BytesRead();
        BtrfsDuplicate group = Assert.Single(
            Finder.Find(new FindOptions { FileOnly = true, Source = DuplicateSource.Content }, _folder));
        long read = BytesRead() - before;

        Assert.Equal(["one", "other"], group.Places.Select(place => Path.GetFileName(place.Path)).Order());

        // All of three files, and 16 KiB of as many as begin in another way; the runtime reads a little for itself.
        Assert.InRange(read, 3 * Size, (3 * Size) + (Files * (16 << 10)) + (1 << 20));
    }

    private void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(_folder, name), content);

    /// <summary>What this process has read by system calls (proc(5)).</summary>
    private static long BytesRead() => long.Parse(
        File.ReadLines("/proc/self/io").Single(line => line.StartsWith("rchar:", StringComparison.Ordinal)).Split(' ')[1],
        CultureInfo.InvariantCulture);
}
