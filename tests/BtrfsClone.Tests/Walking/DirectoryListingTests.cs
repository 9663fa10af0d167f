using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>A listing is whole or says that it is not: find(1) is the witness, and the failures are the kernel's own.</summary>
[NoOpenDescriptors]
public sealed unsafe class DirectoryListingTests : IDisposable
{
    private const int PathOnly = 0x200000; // O_PATH, alike on x86-64 and arm64.

    private readonly string _folder = Directory.CreateTempSubdirectory("btrfs-clone-listing-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(512)]
    [InlineData(DirectoryBatch.BufferSize)]
    public void Names_types_and_inodes_are_those_that_find_sees(int size)
    {
        for (int i = 0; i < 2000; i++)
        {
            File.WriteAllText(Path.Combine(_folder, $"file {i}"), "");
        }

        File.WriteAllText(Path.Combine(_folder, "..."), "");
        Directory.CreateDirectory(Path.Combine(_folder, "directory"));
        File.CreateSymbolicLink(Path.Combine(_folder, "link"), "nowhere");
        Shell.Check("mkfifo", Path.Combine(_folder, "fifo"));
        byte* buffer = stackalloc byte[size];
        using OpenPath directory = new(_folder);

        // What was read of it before does not matter.
        Assert.True(Sys.ReadDirectory(directory.Descriptor, buffer, size).Value > 0);
        var listing = new DirectoryListing(directory.Descriptor, buffer, size);
        List<ListedEntry>? entries = listing.ReadAll();

        Assert.NotNull(entries);
        Assert.Equal(
            Shell.Check("find", _folder, "-mindepth", "1", "-printf", "%f %y %i\\n").TrimEnd('\n').Split('\n').Order(),
            entries.Select(entry => $"{Utf8Z.ToText(entry.Name.AsSpan(..^1))} {Letter(entry.Type)} {entry.Inode}").Order());
    }

    [Fact]
    public void One_that_fails_in_the_middle_gives_no_list()
    {
        // A buffer that holds the short names, and not the long one: EINVAL when its turn comes.
        for (int i = 0; i < 50; i++)
        {
            File.WriteAllText(Path.Combine(_folder, $"{i}"), "");
        }

        File.WriteAllText(Path.Combine(_folder, new string('n', 200)), "");
        const int Size = 100;
        byte* buffer = stackalloc byte[Size];
        using OpenPath directory = new(_folder);
        var listing = new DirectoryListing(directory.Descriptor, buffer, Size);
        int count = 0;
        while (listing.Next(out _))
        {
            count++;
        }

        Assert.True(listing.Failed);
        Assert.Equal((SystemCall.GetDents, Errno.EINVAL), (listing.Call, listing.Result.Error));
        Assert.InRange(count, 0, 50);
        Assert.False(listing.Next(out _));
        Assert.True(listing.Failed);
        Assert.Null(new DirectoryListing(directory.Descriptor, buffer, Size).ReadAll());
    }

    [Fact]
    public void A_directory_that_was_removed_is_a_failure()
    {
        byte* buffer = stackalloc byte[DirectoryBatch.BufferSize];
        string path = Directory.CreateDirectory(Path.Combine(_folder, "removed")).FullName;
        using OpenPath directory = new(path);
        Directory.Delete(path);
        var listing = new DirectoryListing(directory.Descriptor, buffer);

        Assert.False(listing.Next(out _));
        Assert.Equal((SystemCall.GetDents, Errno.ENOENT), (listing.Call, listing.Result.Error));
    }

    [Fact]
    public void One_whose_beginning_cannot_be_sought_is_a_failure()
    {
        byte* buffer = stackalloc byte[DirectoryBatch.BufferSize];
        using OpenPath directory = new(_folder, PathOnly);
        var listing = new DirectoryListing(directory.Descriptor, buffer);

        Assert.Null(listing.ReadAll());
        Assert.Equal((SystemCall.Lseek, Errno.EBADF), (listing.Call, listing.Result.Error));
    }

    [Fact]
    public void A_record_that_hides_others_is_a_failure()
    {
        byte* buffer = stackalloc byte[DirectoryBatch.BufferSize];
        using OpenPath directory = new(_folder);
        int size = (int)Sys.ReadDirectory(directory.Descriptor, buffer, DirectoryBatch.BufferSize).Value;
        DirectoryBatch.Enumerator whole = new DirectoryBatch(buffer, size).GetEnumerator();
        while (whole.MoveNext())
        {
        }

        Assert.True(whole.IsAtEnd);

        ((DirectoryEntry*)buffer)->RecordLength = ushort.MaxValue;
        DirectoryBatch.Enumerator broken = new DirectoryBatch(buffer, size).GetEnumerator();

        Assert.False(broken.MoveNext());
        Assert.False(broken.IsAtEnd);
    }

    private static char Letter(byte type) => type switch
    {
        DirectoryEntry.TypeDirectory => 'd',
        DirectoryEntry.TypeRegular => 'f',
        DirectoryEntry.TypeSymlink => 'l',
        1 => 'p',
        _ => '?',
    };

    private sealed class OpenPath : IDisposable
    {
        public OpenPath(string path, int flags = 0)
        {
            CallResult result = Sys.Open(
                path, flags == 0 ? OpenFlags.ReadOnly | OpenFlags.Directory : flags, out Descriptor descriptor);
            Assert.True(result.Succeeded);
            Descriptor = descriptor;
        }

        public Descriptor Descriptor { get; }

        public void Dispose() => Sys.Close(Descriptor);
    }
}
