using System.Diagnostics;
using BtrfsClone.Delalloc;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Delalloc;

/// <summary>What becomes of items that do not get quiet, or cannot be waited for.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class OutcomeTests(ScratchBtrfs btrfs) : IDisposable
{
    private readonly string _folder = btrfs.NewFolder();
    private Process? _writer;

    public void Dispose()
    {
        if (_writer is not null)
        {
            _writer.Kill();
            _writer.WaitForExit();
            _writer.Dispose();
        }
    }

    [BtrfsTheory(Needs = BusyFiles.Tools)]
    [InlineData("busy")]
    [InlineData("")]
    public void A_writer_that_never_stops_fails_its_item_alone_at_the_timeout(string item)
    {
        string other = Directory.CreateDirectory(PathOf("other")).FullName;
        Write("before");
        Write("other/file");
        string[] items = [PathOf("before"), PathOf(Path.Combine("written", item)).TrimEnd('/'), other, PathOf("after")];
        StartWriter("written/busy");
        Write("after");
        long start = Stopwatch.GetTimestamp();

        Waiter waiter = Waiter.Wait(new() { Timeout = TimeSpan.FromSeconds(3) }, CancellationToken.None, items);

        Assert.True(Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(2.7));
        BtrfsException failure = Assert.Single(waiter.Failures);
        Assert.Equal((BtrfsError.DelallocTimeout, items[1]), (failure.Error, failure.Path));
        Assert.Equal([items[0], items[2], items[3]], waiter.Quiet);
        Assert.Empty(BusyFiles.Among(items[0], items[2], items[3]));
    }

    [BtrfsFact]
    public void A_callback_that_throws_leaves_no_item_that_nobody_ends()
    {
        Write("file");
        int calls = 0;
        List<string> quiet = [];
        using DelallocSession session = new(new(), new DelallocEvents
        {
            OnFailure = failure => throw (calls++ == 0 ? new InvalidOperationException("enough") : failure),
            OnQuiet = item => quiet.Add(item.Path),
        });
        Assert.Equal(
            "enough",
            Assert.Throws<InvalidOperationException>(() => session.Add(PathOf("missing"), default)).Message);
        session.Add(PathOf("file"), default);

        // It would wait for the item that failed.
        using CancellationTokenSource limit = new(TimeSpan.FromMinutes(1));
        session.Complete(limit.Token);

        Assert.Equal([PathOf("file")], quiet);
        Assert.Equal(1, calls);
    }

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void A_cancelled_wait_ends_and_leaves_no_descriptor()
    {
        StartWriter("written/busy");
        int before = Descriptors();
        using CancellationTokenSource cancellation = new(TimeSpan.FromSeconds(1));

        // The writer never stops: without the cancellation, this would not return.
        Assert.ThrowsAny<OperationCanceledException>(
            () => Waiter.Wait(new(), cancellation.Token, PathOf("written"), PathOf("written/busy")));

        Assert.True(SpinWait.SpinUntil(() => Descriptors() <= before, TimeSpan.FromSeconds(20)));
    }

    [BtrfsFact(Needs = "mkfifo")]
    public void What_is_no_file_or_directory_is_refused_and_untouched()
    {
        Shell.Check("mkfifo", PathOf("fifo"));
        Write("file");
        File.CreateSymbolicLink(PathOf("link"), "file");
        string[] items = [PathOf("fifo"), PathOf("link"), "/dev/null", PathOf("missing"), PathOf("file")];

        Waiter waiter = Waiter.Wait(new(), CancellationToken.None, items);

        Assert.Equal(
            [
                (BtrfsError.NotRegularFile, items[0]), (BtrfsError.NotRegularFile, items[1]),
                (BtrfsError.NotRegularFile, items[2]), (BtrfsError.SourceNotFound, items[3]),
            ],
            waiter.Failures.Select(failure => (failure.Error, failure.Path)));
        Assert.Equal([PathOf("file")], waiter.Quiet);
    }

    [BtrfsFact(Needs = "mkfifo " + BusyFiles.Tools)]
    public void What_lies_below_a_directory_and_is_no_file_is_passed_over()
    {
        Directory.CreateDirectory(PathOf("tree/sub"));
        Shell.Check("mkfifo", PathOf("tree/fifo"));
        File.CreateSymbolicLink(PathOf("tree/dangling"), "nowhere");
        File.CreateSymbolicLink(PathOf("tree/sub/up"), "..");
        Write("tree/sub/file");

        Waiter.Wait(PathOf("tree"));

        Assert.Empty(BusyFiles.Among(PathOf("tree")));
    }

    [BtrfsFact]
    public void A_file_that_is_deleted_meanwhile_is_done()
    {
        string[] files = [.. Enumerable.Range(0, 500).Select(i => Write($"tree/file{i}"))];
        using DelallocSession session = new(
            new(), new DelallocEvents { OnFailure = failure => Assert.Fail(failure.Message) });
        using CancellationTokenSource ended = new();
        Task deleting = Task.Run(() => Array.ForEach(files, File.Delete));
        session.Add(PathOf("tree"), CancellationToken.None);
        session.Complete(CancellationToken.None);
        deleting.Wait();
        Assert.Empty(Directory.GetFiles(PathOf("tree")));
    }

    [RootFact(Needs = "setpriv")]
    public void What_cannot_be_read_is_a_failure_each_and_the_rest_is_done()
    {
        Write("tree/closed/file");
        Write("tree/file");
        Write("tree/unreadable");
        Shell.Check("chmod", "000", PathOf("tree/closed"), PathOf("tree/unreadable"));
        Shell.Check("chmod", "644", PathOf("tree/file"));

        // Owned by root, so that newer kernels refuse to count the pages of even what can be read.
        ShellResult result = Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", Support.Program.File, "wait", PathOf("tree"));

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 2, result.Error);
        Assert.Single(lines, l => l.StartsWith($"btrfs-clone: {PathOf("tree/closed")}: permission", StringComparison.Ordinal));
        Assert.Single(lines, l => l.StartsWith($"btrfs-clone: {PathOf("tree/unreadable")}: permission", StringComparison.Ordinal));
        Assert.Empty(BusyFiles.Among(PathOf("tree/file")));
    }

    [RootFact]
    public void A_read_only_mount_is_quiet()
    {
        using ScratchImage image = new(256L << 20, "noatime", "mkfs.btrfs", "--quiet");
        File.WriteAllText(Path.Combine(image.Root, "file"), new string('x', 100_000));
        Shell.Check("mount", "-o", "remount,ro", image.Root);

        Waiter.Wait(image.Root, Path.Combine(image.Root, "file"));
    }

    [RootFact]
    public void Data_that_cannot_be_written_out_is_a_failure_of_its_file()
    {
        // The device is a sparse file on a file system that is smaller than what it is told to hold.
        string small = PathOf("small");
        Directory.CreateDirectory(small);
        Shell.Check("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", small);
        try
        {
            string image = Path.Combine(small, "image");
            using (FileStream file = new(image, FileMode.CreateNew))
            {
                file.SetLength(512L << 20);
            }

            Shell.Check("mkfs.btrfs", "--quiet", "--metadata", "single", image);
            string root = Directory.CreateDirectory(PathOf("mounted")).FullName;
            Shell.Check("mount", "-o", "loop", image, root);
            try
            {
                string file = Path.Combine(root, "tree/large");
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                using (SafeFileHandle created = Native.CreateFile(file))
                {
                    byte[] data = new byte[1 << 20];
                    new Random(403).NextBytes(data);
                    for (int i = 0; i < 64; i++)
                    {
                        RandomAccess.Write(created, data, (long)i << 20);
                    }
                }

                Waiter waiter = Waiter.Wait(new(), CancellationToken.None, Path.Combine(root, "tree"));

                BtrfsException failure = Assert.Single(waiter.Failures);
                // The error number is that of the write to the tmpfs, or EIO.
                Assert.Contains(failure.Error, new[] { BtrfsError.NoSpace, BtrfsError.IOError });
                Assert.Equal(file, failure.Path);
                Assert.Empty(waiter.Quiet);
            }
            finally
            {
                Shell.Check("umount", root);
            }
        }
        finally
        {
            // The loop device is released a moment after its own mount.
            Assert.True(SpinWait.SpinUntil(() => Shell.Run("umount", small).ExitCode == 0, TimeSpan.FromSeconds(20)));
        }
    }

    [BtrfsFact(Needs = "prlimit " + BusyFiles.Tools)]
    public void Few_descriptors_are_enough_for_many_files_and_deep_directories()
    {
        for (int i = 0; i < 1000; i++)
        {
            Write($"tree/{i % 10}/file{i}");
        }

        Write("tree/" + string.Concat(Enumerable.Repeat("below/", 100)) + "file");

        ShellResult result = Shell.Run("prlimit", "--nofile=64", Support.Program.File, "wait", PathOf("tree"));

        Assert.Equal(new ShellResult(0, "", ""), result);
        Assert.Empty(BusyFiles.Among(PathOf("tree")));
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private string PathOf(string name) => Path.Combine(_folder, name);

    private string Write(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        using SafeFileHandle created = Native.CreateFile(PathOf(name));
        RandomAccess.Write(created, new byte[10_000], 0);
        return PathOf(name);
    }

    private void StartWriter(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        const string Script = """
            import os, sys, threading
            file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
            def write():
                while True:
                    os.pwrite(file, bytes(1 << 20), 0)
            # Several, and preferred where that is allowed: one of them has a processor on a busy machine, too.
            try:
                os.nice(-10)
            except PermissionError:
                pass
            for i in range(4):
                threading.Thread(target=write).start()
            """;
        _writer = Shell.Start("python3", "-c", Script, PathOf(name));
        Assert.True(SpinWait.SpinUntil(
            () => File.Exists(PathOf(name)) && new FileInfo(PathOf(name)).Length > 0, TimeSpan.FromSeconds(20)));
    }
}
