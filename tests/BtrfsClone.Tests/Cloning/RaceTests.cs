using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Clones of files that are being changed.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed unsafe class RaceTests(ScratchBtrfs btrfs)
{
    private const int Length = 200_000;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory]
    [InlineData(501)]
    [InlineData(502)]
    public void Each_clone_is_a_state_that_the_file_had_block_by_block(int seed)
    {
        string source = PathOf("source");
        using ChangingFile file = new(source, seed);
        using CancellationTokenSource ended = new();
        Task writer = Task.Factory.StartNew(
            () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    file.Change();
                }
            },
            TaskCreationOptions.LongRunning);
        HashSet<long> sizes = [];
        try
        {
            for (int i = 0; i < 400; i++)
            {
                string clone = PathOf($"clone{i}");
                long since = file.Begin();
                Cloner.Clone(source, clone);
                byte[] content = File.ReadAllBytes(clone);
                Assert.Null(file.Judge(content, since));
                AssertNothingBehind(clone, content.Length);
                sizes.Add(content.Length);
                File.Delete(clone);
            }
        }
        finally
        {
            ended.Cancel();
            writer.Wait();
        }

        Assert.True(sizes.Count > 10 && file.Changes > 1000, $"{sizes.Count} sizes, {file.Changes} changes");
    }

    [BtrfsTheory(Needs = "sync")]
    [InlineData("write")]
    [InlineData("mmap")]
    [InlineData("direct")]
    public void What_was_written_before_is_in_the_clone_and_what_was_written_after_is_not(string way)
    {
        Random random = new(503);
        byte[] before = new byte[Length];
        byte[] after = new byte[Length];
        string source = PathOf("source");
        using SafeFileHandle file = Native.CreateFile(source);
        Native.Truncate(file, Length);
        byte* map = Native.Map(file, Length);
        List<(string Clone, byte[] Content)> clones = [];
        for (int i = 0; i < 20; i++)
        {
            random.NextBytes(before);
            random.NextBytes(after);
            string clone = PathOf($"clone{i}");
            Write(way, source, file, map, before);
            Cloner.Clone(source, clone);
            Write(way, source, file, map, after);

            Assert.Equal(before, File.ReadAllBytes(clone));
            Assert.Equal(after, File.ReadAllBytes(source));
            clones.Add((clone, [.. before]));
        }

        Native.Unmap(map, Length);
        Shell.Check("sync", "--file-system", source);
        foreach ((string clone, byte[] content) in clones)
        {
            // As the disk has it.
            Native.DropPages(clone);
            Assert.Equal(content, File.ReadAllBytes(clone));
        }
    }

    /// <summary>What lies between a file's end and the end of its last block shows when the file is made longer.</summary>
    private static void AssertNothingBehind(string path, int length)
    {
        using (SafeFileHandle file = Native.Open(path, write: true))
        {
            Native.Truncate(file, length + ChangingFile.Block);
        }

        Assert.Equal(-1, File.ReadAllBytes(path).AsSpan(length).IndexOfAnyExcept((byte)0));
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private static void Write(string way, string path, SafeFileHandle file, byte* map, byte[] data)
    {
        switch (way)
        {
            case "write":
                RandomAccess.Write(file, data, 0);
                break;
            case "mmap":
                data.CopyTo(new Span<byte>(map, Length));
                break;
            default:
                using (SafeFileHandle direct = Native.OpenDirect(path))
                {
                    // The last block is not whole, and O_DIRECT takes whole ones only: it is written the usual way.
                    int whole = Length / ChangingFile.Block * ChangingFile.Block;
                    Native.WriteAligned(direct, data.AsSpan(0, whole), 0);
                    RandomAccess.Write(file, data.AsSpan(whole), whole);
                }

                break;
        }
    }
}
