using BtrfsClone.Benchmarks.Measuring;
using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks;

/// <summary>Ours and the peers, as commands.</summary>
internal static class Contenders
{
    /// <summary>The floor makes no use of more.</summary>
    private const string FloorThreads = "2";

    private static readonly string s_import = $"Import-Module {Quote(Path.Combine(Checkout.RepositoryRoot, "BtrfsClone.psd1"))}; ";

    public static Contender Program { get; } = new("btrfs-clone", (s, d) => new(Checkout.File, "copy", s, d));

    public static Contender Cp { get; } =
        new("cp --reflink=always", (s, d) => new("cp", "-a", "--reflink=always", s, d)) { Needs = "cp" };

    /// <summary>Copies the bytes: what people use.</summary>
    public static Contender Rsync { get; } =
        new("rsync -aHAX", (s, d) => new("rsync", "-aHAX", s + "/", d)) { Needs = "rsync" };

    public static Contender CopyBtrfsItem { get; } = Pwsh(
        "Copy-BtrfsItem", (s, d) => s_import + $"Copy-BtrfsItem -LiteralPath {Quote(s)} -Destination {Quote(d)}");

    /// <summary>What it cannot copy (links that lead nowhere) it leaves out, and we do not ask.</summary>
    public static Contender CopyItem { get; } = Pwsh(
        "Copy-Item -Recurse",
        (s, d) => $"Copy-Item -LiteralPath {Quote(s)} -Destination {Quote(d)} -Recurse -ErrorAction Ignore; exit 0");

    /// <summary>The program, and the start of a session with the module.</summary>
    public static Contender ProgramFromPwsh { get; } = Pwsh(
        "btrfs-clone in pwsh", (s, d) => s_import + $"& {Quote(Checkout.File)} copy {Quote(s)} {Quote(d)}; exit $LASTEXITCODE");

    public static Contender Floor(string path) =>
        new("floor, 2 threads", (s, d) => new(path, s, d, FloorThreads)) { Needs = path };

    /// <summary>Any command whose last two arguments are the source and the destination.</summary>
    public static Contender Other(string command)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new(command, (s, d) => new(words[0], [.. words[1..], s, d])) { Needs = words[0] };
    }

    /// <summary>Lists a file's extents; what it says goes nowhere.</summary>
    public static Contender Listing(string name, string program, params string[] command) => new(
        name, (s, _) => new("sh", ["-c", "exec \"$@\" > /dev/null", "sh", .. command, s])) { Needs = program };

    /// <summary>Clones numbered files one by one, in a session whose start is not timed.</summary>
    /// <param name="name">How the report calls it.</param>
    /// <param name="pipeline">What the file's numbers are piped to; <c>$s</c> and <c>$d</c> are the two directories.</param>
    public static Contender Pipeline(string name, string pipeline) => Pwsh(
        name,
        (s, d) => s_import +
            $"$s = {Quote(s)}; $d = (New-Item -ItemType Directory {Quote(d)}).FullName; $n = [IO.Directory]::GetFiles($s).Count; " +
            $"$clock = [Diagnostics.Stopwatch]::StartNew(); 1..$n | {pipeline}; " +
            "$clock.Elapsed.TotalSeconds.ToString([cultureinfo]::InvariantCulture)",
        timesItself: true);

    private static Contender Pwsh(string name, Func<string, string, string> script, bool timesItself = false) => new(
        name,
        (s, d) => new("pwsh", "-NoProfile", "-NonInteractive", "-Command", script(s, d)) { TimesItself = timesItself })
    {
        Needs = "pwsh",
    };

    private static string Quote(string path) => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
}
