using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Sending;
using BtrfsClone.Tests.Carrying;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Sending;

/// <summary>Streams of directories, as <c>btrfs receive</c> takes them.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class SendTests(ScratchBtrfs btrfs) : IDisposable
{
    private const int Mega = 1 << 20;

    private readonly Receiver _receiver = new();
    private readonly Random _random = new(5);

    public void Dispose() => _receiver.Dispose();

    [RootFact(Needs = "cp compsize diff")]
    public void A_pool_of_clones_takes_the_room_that_it_took()
    {
        string pool = NewTree("pool");
        File.WriteAllBytes(Path.Combine(pool, "0"), Bytes(4 * Mega));
        for (int i = 1; i < 8; i++)
        {
            Clone(Path.Combine(pool, "0"), Path.Combine(pool, $"{i}"));
            Overwrite(Path.Combine(pool, $"{i}"), _random.Next(1024) * 4096L);
        }

        long before = DiskLength(pool);
        string received = _receiver.Carry(pool, 2, out SendResult result);

        Shell.Check("diff", "--recursive", pool, received);
        Assert.Equal(before, DiskLength(received));
        Assert.Equal(32L * Mega, result.Length);
        Assert.Equal((28L * Mega) - (7 * 4096), result.SharedLength);
        Assert.InRange(result.StreamLength, 4 * Mega, 5 * Mega);
    }

    [RootFact(Needs = "cp compsize diff")]
    public void What_several_directories_share_is_shared_between_their_subvolumes()
    {
        string one = NewTree("one");
        string two = NewTree("two");
        File.WriteAllBytes(Path.Combine(one, "file"), Bytes(3 * Mega));
        Clone(Path.Combine(one, "file"), Path.Combine(two, "file"));

        string stream = _receiver.Send(new SendOptions(), out SendResult[] results, one, two);
        string folder = _receiver.Receive(stream);

        Shell.Check("diff", "--recursive", one, Path.Combine(folder, "one"));
        Shell.Check("diff", "--recursive", two, Path.Combine(folder, "two"));
        Assert.Equal(3 * Mega, DiskLength(folder));
        Assert.Equal(3 * Mega, results[1].SharedLength);
        Assert.Equal(2, DumpLines(stream).Count(line => line.StartsWith("subvol", StringComparison.Ordinal)));
    }

    [RootFact(Needs = "compsize diff")]
    public void Compressed_extents_stay_as_they_are_with_version_2_and_are_compressed_anew_with_version_1()
    {
        string tree = NewTree("packed");
        Shell.Check("btrfs", "property", "set", tree, "compression", "zstd");
        byte[] text = Bytes(2 * Mega);
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = (byte)('a' + (text[i] & 3));
        }

        File.WriteAllBytes(Path.Combine(tree, "file"), text);
        long before = DiskLength(tree);
        Assert.InRange(before, 1, Mega);

        string second = _receiver.Carry(tree, 2, out SendResult packed);
        string first = _receiver.Carry(tree, 1, out SendResult unpacked);

        Shell.Check("diff", "--recursive", tree, second);
        Shell.Check("diff", "--recursive", tree, first);
        Assert.Equal(before, DiskLength(second));
        Assert.InRange(DiskLength(first), 1, Mega);
        Assert.Equal(text.Length, packed.EncodedLength);
        Assert.InRange(packed.StreamLength, 1, Mega);
        Assert.Equal(0, unpacked.EncodedLength);
        Assert.InRange(unpacked.StreamLength, text.Length, text.Length + Mega);
    }

    [RootFact(Needs = "cp compsize cmp setpriv chmod")]
    public void Without_root_sharing_is_kept_too()
    {
        string tree = NewTree("plain");
        File.WriteAllBytes(Path.Combine(tree, "one"), Bytes(Mega + 100));
        Clone(Path.Combine(tree, "one"), Path.Combine(tree, "two"));
        Shell.Check("chmod", "--recursive", "a+rX", tree);
        Shell.Check("chmod", "a+X", Path.GetDirectoryName(tree)!, btrfs.Root);
        string stream = _receiver.NewPath();

        Shell.Check(
            "sh", "-c", "setpriv --reuid=65534 --regid=65534 --clear-groups \"$1\" send \"$2\" > \"$3\"", "sh",
            Support.Program.File, tree, stream);
        string received = Path.Combine(_receiver.Receive(stream), "plain");

        Shell.Check("cmp", Path.Combine(tree, "one"), Path.Combine(received, "two"));
        Assert.Equal(Mega + 4096, DiskLength(received));
        Assert.InRange(new FileInfo(stream).Length, Mega, Mega + (Mega / 2));
    }

    [RootFact(Needs = "cmp")]
    public void What_is_left_out_is_a_failure_and_the_rest_arrives()
    {
        string tree = NewTree("odd");
        File.WriteAllText(Path.Combine(tree, "good"), "good");
        string deep = tree;
        while (deep.Length - tree.Length < 3700)
        {
            // Made step by step: the whole path would be too long for one call.
            Shell.Check("sh", "-c", "cd -P \"$1\" && mkdir \"$2\"", "sh", deep, new string('d', 240));
            deep = Path.Combine(deep, new string('d', 240));
        }

        string stream = _receiver.Send(new SendOptions(), out SendResult[] results, tree);
        string received = Path.Combine(_receiver.Receive(stream), "odd");

        Shell.Check("cmp", Path.Combine(tree, "good"), Path.Combine(received, "good"));
        Assert.Equal(BtrfsError.NameTooLong, Assert.Single(_receiver.Failures).Error);
        Assert.Equal(1, results[0].Failed);
        Assert.Equal(14 + 1, results[0].Directories);
    }

    [RootFact(Needs = "cmp mkfs.xfs setfattr getfattr")]
    public void An_attribute_that_btrfs_does_not_hold_is_left_out()
    {
        using ScratchImage xfs = new(1L << 30, "noatime", "mkfs.xfs", "-q");
        string tree = Directory.CreateDirectory(Path.Combine(xfs.Root, "large")).FullName;
        string file = Path.Combine(tree, "file");
        File.WriteAllText(file, "content");
        foreach ((string name, int size) in new[] { ("fits", 16_200), ("not", 16_300), ("largest", 65_536) })
        {
            Native.SetXattr(file, $"user.{name}", new byte[size]);
        }

        string received = _receiver.Carry(tree, 2, out SendResult result);

        Assert.Equal(1, result.Failed);
        Assert.Equal(BtrfsError.MetadataNotSupported, Assert.Single(_receiver.Failures).Error);
        Shell.Check("cmp", file, Path.Combine(received, "file"));
        string names = Shell.Check("getfattr", "--absolute-names", Path.Combine(received, "file"));
        Assert.Contains("user.fits", names, StringComparison.Ordinal);
        Assert.DoesNotContain("user.not", names, StringComparison.Ordinal);
    }

    [RootFact(Needs = "cmp")]
    public void A_stream_of_files_that_change_all_the_time_is_received()
    {
        string tree = NewTree("busy");
        string[] files = [.. Enumerable.Range(0, 40).Select(i => Path.Combine(tree, $"{i}"))];
        Array.ForEach(files, file => File.WriteAllBytes(file, Bytes(300_000)));
        using CancellationTokenSource end = new();
        Task writer = Task.Run(() => Disturb(files, end.Token));

        for (int run = 0; run < (TestMachine.IsThorough ? 60 : 6); run++)
        {
            string stream = _receiver.Send(new SendOptions { Protocol = 1 + (run % 2) }, out _, tree);
            Assert.All(
                _receiver.Failures,
                failure => Assert.Contains(failure.Error, new[] { BtrfsError.ChangedMeanwhile, BtrfsError.SourceNotFound }));
            Receiver.Remove(Path.Combine(_receiver.Receive(stream), "busy"));
        }

        end.Cancel();
        writer.Wait();
        _receiver.Check();
    }

    [RootFact(Needs = InPlace.Tools + " cmp")]
    public void What_is_written_in_place_and_cloned_again_is_sent_as_it_is()
    {
        InPlace source = new(btrfs.NewFolder());
        source.Make();

        string received = _receiver.Receive(_receiver.Send(new SendOptions(), out SendResult[] results, Directories()));

        Assert.Empty(_receiver.Failures);
        Assert.Equal(256 << 10, results[0].SharedLength);
        Shell.Check("cmp", Path.Combine(source.Second, "clone"), Path.Combine(received, "second/clone"));

        IEnumerable<string> Directories()
        {
            yield return source.First;
            source.Overwrite();
            yield return source.Second;
        }
    }

    [RootFact(Needs = PackedNeighbours.Tools + " diff")]
    public void Compressed_extents_that_FIEMAP_takes_for_one_are_sent_as_shared()
    {
        using ScratchImage source = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
        string tree = Path.Combine(source.Root, "tree");
        PackedNeighbours.Make(tree, source.Device);

        string received = _receiver.Carry(tree, 2, out _);

        Shell.Check("diff", "--recursive", tree, received);
        PackedNeighbours.AssertSharing(tree, source.Device, received, _receiver.Device);
    }

    [RootFact]
    public void A_file_that_ends_before_its_size_is_sent_as_far_as_it_goes()
    {
        string tree = NewTree("shrinks");
        string file = Path.Combine(tree, "file");
        File.WriteAllBytes(file, Bytes(3 * Mega));
        Shell.Check("sync", "--file-system", tree);
        string stream = _receiver.NewPath();
        List<BtrfsException> failures = [];
        using (SendFileStream output = SendFileStream.Create(stream))
        {
            // The buffer is written when it is full, and then the file has been begun and not ended.
            using var cutting = new CuttingStream(output, () => Cut(file, (2 * Mega) + 77));
            using var session = new SendSession(new SendOptions(), new SessionEvents { OnFailure = failures.Add }, cutting);
            session.Send(tree, CancellationToken.None);
            session.Complete();
            output.Publish();
        }

        string received = Path.Combine(_receiver.Receive(stream), "shrinks", "file");

        Assert.Equal(BtrfsError.ChangedMeanwhile, Assert.Single(failures).Error);
        Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(received));
    }

    [RootFact]
    public void A_stream_that_nothing_could_be_sent_in_is_empty_and_two_of_one_name_are_an_error()
    {
        string tree = NewTree("same");
        string other = NewTree("same");
        string stream = Path.Combine(btrfs.NewFolder(), "stream");

        ShellResult missing = Support.Program.Run("send", "--output", stream, tree + "x");
        ShellResult same = Support.Program.Run("send", "--json", "--output", stream, tree, other);
        string folder = _receiver.Receive(stream);

        Assert.Equal(1, missing.ExitCode);
        Assert.Equal(1, same.ExitCode);
        Assert.Contains("a directory of the same name is in the stream already", same.Error, StringComparison.Ordinal);
        Assert.Contains("\"Subvolume\":\"same\"", Assert.Single(same.Output.Trim().Split('\n')), StringComparison.Ordinal);
        Assert.Single(Directory.GetDirectories(folder));
    }

    [RootFact(Needs = "script")]
    public void Nothing_is_written_to_a_terminal_and_a_receiver_that_has_gone_is_a_failure()
    {
        string tree = NewTree("wide");
        File.WriteAllBytes(Path.Combine(tree, "file"), Bytes(8 * Mega));

        ShellResult terminal = Shell.Run(
            "script", "--quiet", "--return", "--command", $"'{Support.Program.File}' send '{tree}'", "/dev/null");
        ShellResult gone = Shell.Run(
            "bash", "-c", "set -o pipefail; \"$1\" send \"$2\" | true; echo ${PIPESTATUS[0]}", "bash", Support.Program.File, tree);

        Assert.Equal(2, terminal.ExitCode);
        Assert.Contains("not written to a terminal", terminal.Output, StringComparison.Ordinal);
        Assert.Equal("1", gone.Output.Trim());
        Assert.Contains("the stream is incomplete", gone.Error, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_file_that_exists_is_replaced_by_a_whole_stream_only()
    {
        string tree = NewTree("tree");
        string stream = Path.Combine(btrfs.NewFolder(), "stream");
        File.WriteAllText(stream, "old");

        ShellResult kept = Support.Program.Run("send", "--no-clobber", "--output", stream, tree);
        ShellResult nothing = Support.Program.Run("send", "--output", stream, tree + "x");
        Assert.Equal("old", File.ReadAllText(stream));
        File.SetUnixFileMode(stream, UnixFileMode.UserRead);
        ShellResult readOnly = Support.Program.Run("send", "--output", stream, tree);
        Assert.Equal("old", File.ReadAllText(stream));
        ShellResult forced = Support.Program.Run("send", "--force", "--output", stream, tree);

        Assert.Equal((1, 1, 1, 0), (kept.ExitCode, nothing.ExitCode, readOnly.ExitCode, forced.ExitCode));
        Assert.Contains("Use --force", readOnly.Error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(stream));
        Assert.Single(Directory.GetFileSystemEntries(Path.GetDirectoryName(stream)!));
        Assert.NotEmpty(DumpLines(stream));
    }

    private static string[] DumpLines(string stream) => Shell.Check("btrfs", "receive", "--dump", "-f", stream).Trim().Split('\n');

    private static void Clone(string source, string destination)
    {
        Shell.Check("sync", "--file-system", source);
        Shell.Check("cp", "--reflink=always", source, destination);
    }

    private static void Cut(string file, long size)
    {
        using SafeFileHandle opened = Native.Open(file, write: true);
        RandomAccess.SetLength(opened, size);
    }

    private static void Disturb(string[] files, CancellationToken end)
    {
        Random random = new(3);
        while (!end.IsCancellationRequested)
        {
            int number = random.Next(files.Length);
            string file = files[number];
            switch (random.Next(4))
            {
                case 0:
                    Cut(file, random.Next(400_000));
                    break;
                case 1:
                    File.Delete(file);
                    File.WriteAllBytes(file, new byte[random.Next(300_000)]);
                    break;
                case 2:
                    using (SafeFileHandle from = Native.Open(files[(number + 1) % files.Length], write: false))
                    {
                        using SafeFileHandle to = Native.Open(file, write: true);
                        RandomAccess.SetLength(to, 0);
                        Native.Clone(from, to);
                    }

                    break;
                default:
                    using (SafeFileHandle opened = Native.Open(file, write: true))
                    {
                        RandomAccess.Write(opened, new byte[random.Next(10_000)], random.Next(400_000));
                    }

                    break;
            }
        }
    }

    private string NewTree(string name) => Directory.CreateDirectory(Path.Combine(btrfs.NewFolder(), name)).FullName;

    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    private void Overwrite(string file, long offset)
    {
        using SafeFileHandle opened = Native.Open(file, write: true);
        RandomAccess.Write(opened, Bytes(4096), offset);
    }

    private static long DiskLength(string path)
    {
        Shell.Check("sync", "--file-system", path);
        Match total = Total().Match(Shell.Check("compsize", "-b", path));
        return long.Parse(total.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"TOTAL +\d+% +(\d+)")]
    private static partial Regex Total();
}
