using System.Globalization;
using System.Text;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Syncing;

/// <summary>
/// Changes a tree at random, the same for the same seed and tree, with the system's own tools: everything that users and
/// programs do to files between two syncs.
/// </summary>
internal sealed class TreeMutator
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "bash find dd truncate fallocate cp mv ln mknod mkfifo setfattr setfacl touch chattr python3 btrfs";

    // What no tool does, by one process for all: a write through a mapping, and FIDEDUPERANGE (linux/fs.h) of a copy's first
    // block, for which the file gets the other's.
    private const string Mapped =
        """
        import fcntl,mmap,os,struct,sys
        for kind,one,other in zip(*[iter(sys.argv[1:])]*3):
            try:
                a=os.open(one,os.O_RDWR)
                if kind=='map':
                    m=mmap.mmap(a,0)
                    m[len(m)*int(other)//40]^=1
                    m.flush()
                    m.close()
                else:
                    b=os.open(other,os.O_RDWR)
                    os.pwrite(a,os.pread(b,4096,0),0)
                    os.fsync(a)
                    fcntl.ioctl(b,0xc0189436,struct.pack('QQHHIqQQiI',0,4096,1,0,0,a,0,0,0,0))
                    os.close(b)
                os.close(a)
            except (OSError,ValueError):
                pass
        """;

    private readonly string _root;
    private readonly int _seed;
    private readonly Random _random;
    private readonly StringBuilder _script = new();
    private readonly StringBuilder _mapped = new();
    private readonly List<(string Path, char Type)> _entries;
    private int _made;

    private TreeMutator(string root, int seed)
    {
        _root = ByteText.FromText(root);
        _seed = seed;
        _random = new Random(seed);
        string[] listed = ByteText.FromBytes(Shell.CheckBytes(null, "find", root, "-mindepth", "1", "-printf", @"%P\0%y\0"))
            .Split('\0', StringSplitOptions.RemoveEmptyEntries);
        _entries = [.. listed.Chunk(2).Select(e => (e[0], e[1][0])).OrderBy(e => e.Item1, StringComparer.Ordinal)];
    }

    /// <summary>Changes a tree.</summary>
    /// <param name="root">Its top directory.</param>
    /// <param name="seed">Decides what is changed.</param>
    /// <param name="changes">How many changes are tried.</param>
    public static void Change(string root, int seed, int changes)
    {
        TreeMutator mutator = new(root, seed);
        for (int i = 0; i < changes; i++)
        {
            mutator.AddChange();
        }

        if (mutator._mapped.Length > 0)
        {
            mutator.Add($"python3 -c {Quote(Mapped)}{mutator._mapped}");
        }

        // One change may take away what another one was for.
        Shell.CheckBytes(ByteText.ToBytes(mutator._script.ToString()), "bash", "-c", "bash -s 2> /dev/null; true");
    }

    private void AddChange()
    {
        string file = Pick('f');
        string any = Pick('f', 'l', 'p', 's', 'd');

        // chmod(1), setfattr(1) and setfacl(1) follow links, which lead out of the tree.
        string noLink = Pick('f', 'p', 's', 'd');
        string folder = _random.Next(4) == 0 ? Quote(_root) : Pick('d');
        string other = Pick('f');
        string made = $"{folder}/made{_seed}-{_made++}";
        int block = _random.Next(40);
        Add(_random.Next(36) switch
        {
            0 or 1 => $"dd if=/dev/urandom of={file} bs=4096 count=1 seek={block} conv=notrunc status=none",
            2 => $"dd if=/dev/urandom of={file} bs=1000 count=3 seek={block} conv=notrunc status=none; touch -d @{Time()} {file}",
            3 => $"truncate -s {_random.Next(200_000)} {file}",
            4 => $"fallocate -p -o {block * 4096} -l 8192 {file}",
            5 => $"fallocate -n -o {block * 4096} -l 100000 {file}",
            6 => $"cp --reflink=always {other} {file}",
            7 => $"cp --reflink=never --preserve=all {file} {made} && mv {made} {file}",
            8 => $"dd if=/dev/urandom of={made} bs=1000 count={_random.Next(60)} status=none",
            9 => $": > {made}",
            10 => $"mkdir {made}; cp -a {file} {other} {made}/",
            11 => $"ln -s {other} {made}",
            12 or 13 => $"ln {file} {made}",
            14 => $"mkfifo {made}",
            15 => $"mknod {made} c 5 {_random.Next(200)}",
            16 or 17 => $"rm -rf {any}",
            18 => $"mv -T {any} {made}",
            19 => $"mv -T {Pick('d')} {made}",
            20 => $"rm -rf {any} && mkdir {any} && echo new > {any}/inside",
            21 => $"rm -rf {any} && echo now a file > {any}",
            22 => $"rm -rf {any} && ln -s nowhere {any}",
            23 => $"chmod {_random.Next(8)}{_random.Next(8)}{_random.Next(8)} {noLink}",
            24 => $"chown -h {_random.Next(2000)}:{_random.Next(2000)} {any}",
            25 => $"touch -h -d @{Time()} {any}",
            26 => $"setfattr -n user.x{_random.Next(4)} -v {_random.Next(1000)} {noLink}",
            27 => $"setfattr -x user.x{_random.Next(4)} {noLink}",
            28 => $"setfacl -m u:{_random.Next(9)}:rwx {noLink}",
            29 => KeepingTime(file, $"dd if=/dev/urandom of={file} bs=4096 count=1 seek={block} conv=notrunc status=none"),
            30 => KeepingTime(noLink, $"chmod g=u {noLink}"),
            31 => Map($"map {file} {block}"),
            32 => Map($"dedupe {file} {other}"),
            33 => $"btrfs filesystem defragment -f {file}",
            34 => $"fallocate -z -o {block * 4096} -l 8192 {file}",
            _ => $"chattr {(_random.Next(2) == 0 ? "+d" : "-d")} {any}; chattr {(_random.Next(2) == 0 ? "+A" : "-A")} {any}",
        });
    }

    /// <summary>Sets the modification time back to what it was.</summary>
    private static string KeepingTime(string path, string command) =>
        $"time=$(stat -c %y {path}); {command}; touch -h -d \"$time\" {path}";

    private string Map(string arguments)
    {
        _mapped.Append(' ').Append(arguments);
        return ":";
    }

    private void Add(string command) => _script.Append(command).Append('\n');

    private string Time() => string.Create(CultureInfo.InvariantCulture, $"{_random.Next(2_000_000_000)}.{_random.Next(1_000_000_000):d9}");

    private string Pick(params char[] types)
    {
        string[] paths = [.. _entries.Where(e => types.Contains(e.Type)).Select(e => e.Path)];
        return Quote(paths.Length == 0 ? _root + "/none" : $"{_root}/{paths[_random.Next(paths.Length)]}");
    }

    /// <summary>A word of bash, whatever bytes it is made of.</summary>
    private static string Quote(string byteText) =>
        $"$'{string.Concat(byteText.Select(c => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}")))}'";
}
