using System.Globalization;
using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Carrying;

/// <summary>How disks are used on the way: what is read when, and how much is on its way to one that is slow.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed partial class CarryPaceTests(ScratchBtrfs btrfs) : IDisposable
{
    private const int Mega = 1 << 20;
    private const int Pieces = 8;

    private readonly ScratchImage _other = new(1L << 30, "noatime", "mkfs.btrfs", "--quiet");

    public void Dispose() => _other.Dispose();

    [RootTheory(Needs = Injection.Tools + " cp")]
    [InlineData(true)]
    [InlineData(false)]
    public void What_is_on_its_way_to_a_slow_disk_is_little(bool isShared)
    {
        string source = btrfs.NewFolder();
        foreach (string directory in (string[])["one", "two"])
        {
            string parent = Directory.CreateDirectory(Path.Combine(source, directory)).FullName;
            WritePieces(Path.Combine(parent, "file"), Enumerable.Range(0, Pieces));
        }

        if (isShared)
        {
            Shell.Check("cp", "--archive", "--reflink=always", Path.Combine(source, "one"), Path.Combine(source, "three"));
            Shell.Check("cp", "--archive", "--reflink=always", Path.Combine(source, "two"), Path.Combine(source, "four"));
        }

        string log = Path.Combine(_other.Root, "log");
        Shell.Check(
            "strace", "-f", "-qq", "-o", log, "-e", "trace=sync_file_range", "-e", "inject=sync_file_range:delay_enter=200000",
            Support.Program.File, "copy", "--jobs", "2", "--reflink", "auto", source, Path.Combine(_other.Root, "copy"));

        // What one disk writes in the order in which it was started is written up to what is waited for.
        List<(string Range, long Length)> onItsWay = [];
        long most = 0;
        long all = 0;
        foreach (string line in File.ReadLines(log))
        {
            Match call = Call().Match(line);
            if (call.Success && call.Groups["kind"].Value == "WRITE")
            {
                long length = long.Parse(call.Groups["length"].Value, CultureInfo.InvariantCulture);
                onItsWay.Add((call.Groups["range"].Value, length));
                all += length;
            }
            else if (call.Success)
            {
                onItsWay.RemoveRange(0, onItsWay.FindLastIndex(range => range.Range == call.Groups["range"].Value) + 1);
            }

            most = Math.Max(most, onItsWay.Sum(range => range.Length));
        }

        Assert.Equal(2 * Pieces * Mega, all);
        Assert.InRange(most, 0, (Pieces - 2) * Mega);
    }

    [RootTheory(Needs = Injection.Tools + " cp filefrag")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_parted_file_is_read_in_the_order_of_the_device_and_a_clone_not_again(bool isShared)
    {
        string file = Path.Combine(btrfs.NewFolder(), "file");
        WritePieces(file, Enumerable.Range(0, Pieces).Reverse());
        if (isShared)
        {
            Shell.Check("cp", "--reflink=always", file, file + ".clone");
        }

        string log = Path.Combine(_other.Root, "log");
        Shell.Check(
            "strace", "-f", "-y", "-qq", "-o", log, "-e", "trace=fadvise64", Support.Program.File,
            "copy", "--jobs", "1", "--reflink", "auto", Path.GetDirectoryName(file)!, Path.Combine(_other.Root, "copy"));

        Dictionary<long, long> places = Piece().Matches(Shell.Check("filefrag", "-v", "-b1", file)).ToDictionary(
            piece => long.Parse(piece.Groups["offset"].Value, CultureInfo.InvariantCulture),
            piece => long.Parse(piece.Groups["place"].Value, CultureInfo.InvariantCulture));
        long[] read = [.. File.ReadLines(log).Select(line => Advice().Match(line)).Where(call => call.Success)
            .Select(call => places[long.Parse(call.Groups["offset"].Value, CultureInfo.InvariantCulture)])];
        Assert.Equal(places.Values.Order(), read);
    }

    /// <summary>Writes a file each MiB of which is an extent of its own.</summary>
    private static void WritePieces(string path, IEnumerable<int> order)
    {
        byte[] data = new byte[Mega];
        new Random(7).NextBytes(data);
        using SafeFileHandle file = Native.CreateFile(path);
        foreach (int i in order)
        {
            RandomAccess.Write(file, data, i * (long)Mega);
            RandomAccess.FlushToDisk(file);
        }
    }

    [GeneratedRegex(@"sync_file_range\((?<range>\d+, \d+), (?<length>\d+), SYNC_FILE_RANGE_(?<kind>WRITE|WAIT)")]
    private static partial Regex Call();

    [GeneratedRegex(@"fadvise64\(\d+<.*/file(\.clone)?>, (?<offset>\d+), \d+, POSIX_FADV_WILLNEED\)")]
    private static partial Regex Advice();

    [GeneratedRegex(@"^ *\d+: +(?<offset>\d+)\.\. *\d+: +(?<place>\d+)\.\.", RegexOptions.Multiline)]
    private static partial Regex Piece();
}
