using BtrfsClone.Benchmarks.Measuring;
using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>
/// A pool of clones goes to another filesystem, which each run makes in an image of its own. What is timed ends when all is
/// written out.
/// </summary>
internal static class CarryScenarios
{
    private const int Clones = 10;
    private const int Files = 250;

    private const string Elsewhere =
        "s=$1; shift; dir=$(mktemp -d); trap 'umount \"$dir/mnt\"; rm -r \"$dir\"' EXIT; mkdir \"$dir/mnt\"; " +
        "truncate -s 32G \"$dir/image\" && mkfs.btrfs -q \"$dir/image\" > /dev/null && " +
        "mount -o loop,noatime,nodiscard \"$dir/image\" \"$dir/mnt\" && to=\"$dir/mnt/copy\" && TIMEFORMAT=%R && " +
        "{ time { COMMAND; } > /dev/null; } 2>&1 | tail -n 1";

    private const string Unique = "$(compsize -b \"$s\" | awk '/^TOTAL/ { print int($3 / 1048576) + 1 }')";

    public static IEnumerable<Scenario> All()
    {
        yield return new Scenario
        {
            Id = "carry",
            Title = "a pool of ten clones to another filesystem",
            Build = Pool,
            Subject = Copy(
                "btrfs-clone copy --reflink auto",
                $"\"{Checkout.File}\" copy --reflink auto \"$s\" \"$to\" 2> /dev/null; sync -f \"$to\""),
            Peers =
            [
                Copy("dd of the unique bytes", "dd if=/dev/zero of=\"$to\" bs=1M count=$n status=none; sync -f \"$to\"")
                    with { Needs = "compsize", Target = 1.15 },
                Copy("cp -a", "cp -a \"$s\" \"$to\"; sync -f \"$to\"") with { Target = 0.2 },
                Copy("rsync -aHAX", "rsync -aHAX \"$s/\" \"$to\"; sync -f \"$to\"") with { Needs = "rsync", Target = 0.2 },
            ],
            Checked = Contenders.Program("copy"),
            Clones = false,
        };
    }

    private static Contender Copy(string name, string command) => new(
        name,
        (s, _) => new(
            "bash",
            [
                "-c", $"s=$1; n={Unique}; " + Elsewhere.Replace("COMMAND", command, StringComparison.Ordinal), "bash", s,
            ])
        { TimesItself = true });

    /// <summary>Files of 4 MiB, and clones of them in each of which one block of each file is another.</summary>
    private static string Pool(Site site)
    {
        int files = site.Scaled(Files);
        string source = Directory.CreateDirectory(site.At(Site.Source)).FullName;
        Execution.Check(
            "bash", "-c",
            "cd \"$1\" && mkdir 0 && for f in $(seq $2); do dd if=/dev/urandom of=0/$f bs=1M count=4 status=none; done && sync -f . && " +
            "for c in $(seq 1 $3); do cp -a --reflink=always 0 $c; for f in $(seq $2); do " +
            "dd if=/dev/urandom of=$c/$f bs=40k count=1 seek=$(((c * 7 + f) % 100)) conv=notrunc status=none; done; done; sync -f .",
            "bash", source, $"{files}", $"{Clones - 1}");
        return $"{Clones} clones of {Site.Show(files)} files of 4 MiB, 1 % of each changed";
    }
}
