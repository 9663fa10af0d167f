using System.Diagnostics;
using BtrfsClone.Delalloc;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Delalloc;

/// <summary>After a wait nothing is delayed or in flight, however it was dirtied.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class QuietTests(ScratchBtrfs btrfs)
{
    private const int Length = 3 << 20;

    private static readonly string s_withoutCacheStat =
        Path.Combine(Support.Program.RepositoryRoot, "tests/BtrfsClone.Tests/Support/without-cachestat.py");

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsTheory(Needs = BusyFiles.Tools)]
    [InlineData("write")]
    [InlineData("write over extents")]
    [InlineData("mmap over extents")]
    [InlineData("fallocate and write")]
    [InlineData("append")]
    [InlineData("compressed")]
    [InlineData("inline")]
    [InlineData("sparse")]
    public void A_file_dirtied_by(string way)
    {
        string file = PathOf("file");
        Dirty(file, way);
        Assert.Equal([file], BusyFiles.Among(file));

        Waiter.Wait(file);

        Assert.Empty(BusyFiles.Among(file));
    }

    [BtrfsTheory(Needs = BusyFiles.Tools)]
    [InlineData("write")]
    [InlineData("write over extents")]
    [InlineData("mmap over extents")]
    [InlineData("compressed")]
    public void Without_cachestat_a_file_dirtied_by(string way)
    {
        string file = PathOf("tree/file");
        Directory.CreateDirectory(PathOf("tree"));
        Dirty(file, way);
        Assert.Equal([file], BusyFiles.Among(file));

        ShellResult result = Shell.Run("python3", s_withoutCacheStat, Support.Program.File, "wait", PathOf("tree"));

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Empty(BusyFiles.Among(file));
    }

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void Without_cachestat_waiting_alone_writes_nothing_out()
    {
        string file = PathOf("file");
        Dirty(file, "mmap over extents");

        ShellResult result = Shell.Run("python3", s_withoutCacheStat, Support.Program.File, "wait", "--no-flush", file);

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Equal([file], BusyFiles.Among(file));
    }

    [BtrfsFact(Needs = BusyFiles.Tools + " " + RandomTree.Tools)]
    public void Every_file_below_a_directory()
    {
        string tree = PathOf("tree");
        RandomTree.Make(tree, seed: 401, new TreeShape { Privileged = false });
        foreach (string file in Shell.Check("find", tree, "-name", "*0*", "-type", "f", "-writable", "-print0")
            .Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            Shell.Run("sh", "-c", "printf more >> \"$1\"", "sh", file);
        }

        string[] deep = [.. Enumerable.Range(0, 60).Select(i => $"level{i}")];
        string last = Path.Combine(Directory.CreateDirectory(Path.Combine([tree, .. deep])).FullName, "last");
        Write(last, new byte[10_000]);
        Assert.Contains(last, BusyFiles.Among(tree));

        Waiter.Wait(tree);

        Assert.Empty(BusyFiles.Among(tree));
    }

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void Thousands_of_files_given_one_by_one()
    {
        string[] files = [.. Enumerable.Range(0, 6000).Select(i => PathOf($"file{i}"))];
        foreach (string file in files)
        {
            Write(file, new byte[5000]);
        }

        Waiter.Wait(files);

        Assert.Empty(BusyFiles.Among(files));
    }

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void A_file_that_another_process_appends_to_until_it_stops()
    {
        string file = PathOf("file");
        File.WriteAllText(file, "");
        using Process writer = Shell.Start(
            "sh", "-c", "i=0; while [ $i -lt 3000 ]; do printf %04096d $i; i=$((i+1)); done >> \"$1\"", "sh", file);
        Assert.True(SpinWait.SpinUntil(() => new FileInfo(file).Length > 0, TimeSpan.FromSeconds(20)));

        bool ended;
        do
        {
            // On a busy machine the writer may get no processor for a while, which looks as if it had stopped.
            ended = writer.HasExited;
            Waiter.Wait(file);
        }
        while (!ended);

        Assert.Equal(3000 * 4096, new FileInfo(file).Length);
        Assert.Empty(BusyFiles.Among(file));
    }

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void Without_flushing_only_when_somebody_else_has_written_it_out()
    {
        string file = PathOf("file");
        Dirty(file, "write");
        DelallocOptions options = new() { Flush = false, Timeout = TimeSpan.FromSeconds(1) };

        Waiter early = Waiter.Wait(options, CancellationToken.None, file);

        Assert.Equal(BtrfsError.DelallocTimeout, Assert.Single(early.Failures).Error);
        Assert.Equal([file], BusyFiles.Among(file));

        using Process other = Shell.Start("sh", "-c", "sleep 0.3; exec sync \"$1\"", "sh", file);
        Waiter late = Waiter.Wait(options with { Timeout = TimeSpan.FromMinutes(1) }, CancellationToken.None, file);

        Assert.Equal([file], late.Quiet);
        Assert.Empty(BusyFiles.Among(file));
        other.WaitForExit();
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private static void Dirty(string file, string way)
    {
        byte[] data = new byte[Length];
        new Random(402).NextBytes(data);
        switch (way)
        {
            case "write":
                Write(file, data);
                break;
            case "write over extents" or "mmap over extents" or "append":
                File.WriteAllBytes(file, data);
                Shell.Check("sync", "--file-system", file);
                Overwrite(file, data, way);
                break;
            case "fallocate and write":
                using (SafeFileHandle created = Native.CreateFile(file))
                {
                    Native.Preallocate(created, 0, Length * 2);
                    RandomAccess.Write(created, data, 4096);
                }

                break;
            case "compressed":
                using (SafeFileHandle created = Native.CreateFile(file))
                {
                    Native.AddFlags(created, InodeFlags.Compress);
                    RandomAccess.Write(created, new byte[Length], 0);
                    RandomAccess.Write(created, data, Length);
                }

                break;
            case "inline":
                Write(file, "inline"u8);
                break;
            case "sparse":
                using (SafeFileHandle created = Native.CreateFile(file))
                {
                    Native.Truncate(created, 1L << 40);
                    RandomAccess.Write(created, data, (1L << 40) - Length);
                }

                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(way), way, null);
        }
    }

    /// <summary>.NET truncates what it writes, and btrfs starts write-out when a truncated file is closed.</summary>
    private static void Write(string file, ReadOnlySpan<byte> data)
    {
        using SafeFileHandle created = Native.CreateFile(file);
        RandomAccess.Write(created, data, 0);
    }

    private static unsafe void Overwrite(string file, byte[] data, string way)
    {
        using SafeFileHandle handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
        if (way == "mmap over extents")
        {
            byte* map = Native.Map(handle, Length);
            map[8192] ^= 1;
            Native.Unmap(map, Length);
        }
        else
        {
            RandomAccess.Write(handle, data, way == "append" ? Length : 8192);
        }
    }
}
