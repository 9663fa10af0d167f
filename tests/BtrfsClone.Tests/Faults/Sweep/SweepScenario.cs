using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults.Sweep;

/// <summary>One command of the program that the sweep lets fail.</summary>
/// <param name="Arguments">The command's words; S is the folder of the sources, A the one that it works in.</param>
/// <param name="Before">A shell script that makes what is there before, with the same S and A.</param>
/// <param name="Outcome">The path in A of what a path of the source becomes, and that path in S.</param>
/// <param name="IsAtomic">Whether all of it is there in the end, or nothing.</param>
/// <param name="IsElsewhere">Whether A is on another filesystem.</param>
internal sealed record SweepScenario(
    string Arguments, (string Path, string Source) Outcome, string Before = "", bool IsAtomic = false, bool IsElsewhere = false)
{
    /// <summary>What is cloned, merged and taken ranges of. A path for each part of the program that handles it.</summary>
    public const string Sources = """
        set -e
        btrfs subvolume create tree > /dev/null
        cd tree
        mkdir -p dir/deeper
        head -c 40000 /dev/urandom > data
        ln data dir/link
        setfattr -n user.number -v 1 data
        setfacl -m u:1234:rw data
        setfacl -d -m g:99:rx dir
        chmod 2750 dir
        printf small > small
        chown 1234:4321 small
        chmod 4755 small
        : > empty
        ln -s nowhere symlink
        mkfifo fifo
        touch nocow
        chattr +C nocow
        head -c 20000 /dev/urandom > nocow
        head -c 5000 /dev/urandom > preallocated
        fallocate --keep-size --offset 8192 --length 65536 preallocated
        printf deeper > dir/deeper/file
        printf protected > protected
        chattr +i protected
        btrfs subvolume create nested > /dev/null
        printf nested > nested/file
        touch -d '2001-02-03 04:05:06.789' small dir/deeper data
        cd ..
        mkdir -p old merged linked/way
        ln -s ../tree/data linked/data
        ln -s ../tree/dir linked/dir
        ln -s ../../tree/small linked/way/small
        printf older > old/small
        head -c 50000 /dev/urandom > old/data
        mkdir old/dir
        printf kept > old/dir/kept
        head -c 300000 /dev/urandom > merged/one
        head -c 70000 /dev/urandom > merged/two
        touch -d '2002-02-03 04:05:06' old/* merged/*
        printf 'nothing\n' > rules
        """;

    public static readonly Dictionary<string, SweepScenario> All = new()
    {
        ["copy"] = new("copy S/tree A/new", ("new", "tree")),
        ["copy into a tree"] = new(
            "copy S/tree A/there", ("there/tree", "tree"), "mkdir A/there; cp -a --reflink=always S/old A/there/tree"),
        ["copy by bytes"] = new("copy --reflink auto S/tree A/new", ("new", "tree"), IsElsewhere: true),
        ["copy along links"] = new("copy -L S/linked A/new", ("new", "linked")),
        ["copy with compression"] = new(
            "copy --compression zstd:5 S/tree A/there", ("there/tree", "tree"),
            "mkdir -p A/there/tree/dir; chattr +C A/there/tree/dir; touch -d 2003-02-03 A/there/tree/dir A/there/tree"),
        ["copy as the directory has it"] = new(
            "copy --inherit-property --reflink auto S/tree A/there", ("there/tree", "tree"),
            "mkdir A/there; chattr +C A/there"),
        ["atomic"] = new("copy --atomic --exclude-from S/rules S/tree A/new", ("new", "tree"), IsAtomic: true),
        ["atomic, several"] = new(
            "copy --atomic S/tree/data S/tree/small S/tree/dir A/there", ("there", "tree"),
            "mkdir A/there; cp -a --reflink=always S/old/data A/there", IsAtomic: true),
        ["point in time"] = new("copy --point-in-time S/tree A/new", ("new", "tree")),
        ["point in time, atomic"] = new(
            "copy --point-in-time --atomic S/tree/data S/tree/dir A/there", ("there", "tree"),
            "mkdir A/there; cp -a --reflink=always S/old/data A/there", IsAtomic: true),
        ["snapshot"] = new("copy --snapshot --recurse --read-only S/tree A/new", ("new", "tree"), IsAtomic: true),
        ["range"] = new("range S/tree/data:4096:8192 A/new:4096", ("new", "tree/data")),
        ["range into a file"] = new(
            "range S/tree/data:4096:8192 A/data:4096", ("data", "tree/data"), "cp -a --reflink=always S/old/data A"),
        ["sync"] = new(
            "sync --delete S/tree A/there", ("there", "tree"),
            "cp -a --reflink=always S/old A/there; printf more > A/there/more; touch -d 2003-02-03 A/there/more"),
        ["sync in place"] = new(
            "sync --in-place --delete S/tree A/there", ("there", "tree"), "cp -a --reflink=always S/old A/there"),
        ["merge"] = new(
            "merge S/merged A/merged", ("merged", "merged"), "cp -a --reflink=never S/merged A; sync -f A"),
        ["optimize"] = new(
            "optimize --minimum-gain 1 A/merged", ("merged", "merged"),
            "cp -a --reflink=never S/merged A; sync -f A; fallocate --punch-hole --offset 4096 --length 8192 A/merged/one; " +
            "touch -r S/merged/one A/merged/one; sync -f A"),
    };

    public string[] Words(string sources, string area) =>
        [.. Arguments.Split(' ').Select(word => Expand(word, sources, area))];

    /// <summary>Makes what is there before the command.</summary>
    public void Prepare(string sources, string area)
    {
        if (Before.Length > 0)
        {
            Shell.Check("sh", "-ec", string.Join(' ', Before.Split(' ').Select(word => Expand(word, sources, area))));
        }
    }

    /// <summary>Whether what cannot be shared is copied, and what cannot be kept is lost.</summary>
    public bool Copies => Arguments.Contains("--reflink auto", StringComparison.Ordinal);

    /// <summary>The path in S of which a path in A is made, or null.</summary>
    public string? SourceOf(string path) => path == Outcome.Path
        ? Outcome.Source
        : path.StartsWith(Outcome.Path + "/", StringComparison.Ordinal) ? Outcome.Source + path[Outcome.Path.Length..] : null;

    private static string Expand(string word, string sources, string area) => word switch
    {
        ['S', '/', ..] => sources + word[1..],
        ['A', '/', ..] => area + word[1..],
        "A" or "A;" => area + word[1..],
        _ => word,
    };
}
