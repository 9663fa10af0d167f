using BtrfsClone.Syncing;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>Files that share most of their data.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class PatchTests(ScratchBtrfs btrfs)
{
    private const int Block = 4096;

    [BtrfsTheory(Needs = "dd cmp stat filefrag")]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_the_ranges_that_differ_are_shared_anew(bool inPlace)
    {
        (string source, string destination) = NewPair();
        int[] blocks = [3, 4, 17, 99];
        foreach (int block in blocks)
        {
            Write(source, block);
        }

        string inode = Shell.Check("stat", "-c", "%i", destination);
        SyncResult result = Syncer.Sync(source, destination, new SyncOptions { InPlace = inPlace });

        Assert.Equal(1, result.Patched);
        Assert.Equal(blocks.Length * Block, result.SharedLength);
        Assert.Equal(inPlace, inode == Shell.Check("stat", "-c", "%i", destination));
        Shell.Check("cmp", source, destination);
        Assert.Equal(Places(source), Places(destination));
    }

    [BtrfsTheory(Needs = "truncate cmp filefrag")]
    [InlineData(1_000_000)]
    [InlineData(12_345)]
    [InlineData(0)]
    public void In_place_a_file_gets_its_source_s_size(int size)
    {
        (string source, string destination) = NewPair();
        Shell.Check("truncate", "-s", $"{size}", source);

        Syncer.Sync(source, destination, new SyncOptions { InPlace = true });

        Shell.Check("cmp", source, destination);
        Assert.Equal(Places(source), Places(destination));
    }

    [BtrfsTheory(Needs = "truncate cmp stat filefrag")]
    [InlineData(13_485, false)]
    [InlineData(13_485, true)]
    [InlineData(1000, false)]
    [InlineData(12_288, false)]
    public void In_place_a_file_that_was_cut_off_gets_the_block_back_that_it_ended_in(int size, bool isHole)
    {
        (string source, string destination) = NewPair();
        if (isHole)
        {
            Shell.Check("truncate", "-s", "0", source, destination);
            Shell.Check("truncate", "-s", $"{100 * Block}", source);
        }

        // The block stays where it is, with what followed in it.
        Shell.Check("truncate", "-s", $"{size}", destination);
        SyncOptions options = new() { InPlace = true, DryRun = true };
        long told = Assert.Single(Syncer.SyncAll(source, destination, options).Changes).SharedLength;

        SyncResult result = Syncer.Sync(source, destination, options with { DryRun = false });

        Shell.Check("cmp", source, destination);
        Assert.Equal(Shell.Check("stat", "-c", "%s %b", source), Shell.Check("stat", "-c", "%s %b", destination));
        Assert.Equal(Places(source), Places(destination));
        Assert.Equal(told, result.SharedLength);
        Assert.Equal(isHole ? Block : (100 * Block) - (size / Block * Block), result.SharedLength);
    }

    [BtrfsFact(Needs = "cmp filefrag")]
    public void In_place_of_a_block_inline_data_becomes_inline_again()
    {
        (string source, string destination) = NewPair();
        File.WriteAllText(source, "a few words");
        File.WriteAllText(destination, "other words");
        Shell.Check("dd", "if=/dev/urandom", $"of={destination}", "bs=4096", "count=2", "status=none", "conv=fsync");
        Shell.Check("truncate", "-s", "11", destination);

        Syncer.Sync(source, destination, new SyncOptions { InPlace = true });

        Shell.Check("cmp", source, destination);
        Assert.Contains("inline", Places(source), StringComparison.Ordinal);
        Assert.Equal(Places(source), Places(destination));
        Assert.Empty(Syncer.SyncAll(source, destination, new SyncOptions { InPlace = true }).Changes);
    }

    [BtrfsFact(Needs = "fallocate cmp filefrag")]
    public void In_place_of_what_is_only_preallocated_inline_data_is_inline()
    {
        (string source, string destination) = NewPair();
        File.WriteAllText(source, "a few words");
        File.WriteAllText(destination, "");
        Shell.Check("fallocate", "-n", "-o", "0", "-l", "16384", destination);

        Syncer.Sync(source, destination, new SyncOptions { InPlace = true });

        Shell.Check("cmp", source, destination);
        Assert.Contains("inline", Places(destination), StringComparison.Ordinal);
        Assert.Equal(Places(source), Places(destination));
        Assert.Empty(Syncer.SyncAll(source, destination, new SyncOptions { InPlace = true }).Changes);
    }

    [BtrfsTheory(Needs = "fallocate cmp filefrag")]
    [InlineData("x")]
    [InlineData("")]
    public void In_place_a_file_gets_what_is_preallocated_beyond_its_source_s_end(string grown)
    {
        (string source, string destination) = NewPair();
        File.AppendAllText(source, grown);
        Shell.Check("fallocate", "-n", "-o", "450560", "-l", "100000", source);

        Syncer.Sync(source, destination, new SyncOptions { InPlace = true });

        Shell.Check("cmp", source, destination);
        Assert.Equal(Shell.Check("stat", "-c", "%s %b", source), Shell.Check("stat", "-c", "%s %b", destination));
        Assert.Empty(Syncer.SyncAll(source, destination, new SyncOptions { InPlace = true }).Changes);
    }

    [BtrfsFact(Needs = "cp cmp filefrag")]
    public void A_copy_by_bytes_shares_its_data_again()
    {
        (string source, string destination) = NewPair();
        Shell.Check("cp", "--reflink=never", "--preserve=all", source, destination);

        Syncer.Sync(source, destination);

        Assert.Equal(Places(source), Places(destination));
    }

    private (string Source, string Destination) NewPair()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        string destination = Path.Combine(folder, "destination");
        Shell.Check("dd", "if=/dev/urandom", $"of={source}", $"bs={Block}", "count=100", "status=none");
        Shell.Check("cp", "--reflink=always", "--preserve=all", source, destination);
        return (source, destination);
    }

    private static void Write(string file, int block) => Shell.Check(
        "dd", "if=/dev/urandom", $"of={file}", $"bs={Block}", "count=1", $"seek={block}", "conv=notrunc", "status=none");

    /// <summary>The extents by filefrag, without the file's name.</summary>
    private static string Places(string file)
    {
        Shell.Check("sync", "-f", file);
        return Shell.Check("filefrag", "-v", "-b1", file).Replace(file, "", StringComparison.Ordinal);
    }
}
