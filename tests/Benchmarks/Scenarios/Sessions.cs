using Checkout = BtrfsClone.Tests.Support.Program;

namespace BtrfsClone.Benchmarks.Scenarios;

/// <summary>Ours and the peers in pwsh, as commands that start a session each.</summary>
internal static class Sessions
{
    private static readonly string s_import = $"Import-Module {Quote(Path.Combine(Checkout.RepositoryRoot, "BtrfsClone.psd1"))}; ";

    public static Contender Empty { get; } = Session("pwsh", (_, _) => "");

    public static Contender Import { get; } = Session("Import-Module", (_, _) => s_import);

    public static Contender CopyBtrfsItem { get; } = Session(
        "Copy-BtrfsItem", (s, d) => s_import + $"Copy-BtrfsItem -LiteralPath {Quote(s)} -Destination {Quote(d)}");

    /// <summary>What it cannot copy (links that lead nowhere) it leaves out, and we do not ask.</summary>
    public static Contender CopyItem { get; } = Session(
        "Copy-Item -Recurse",
        (s, d) => $"Copy-Item -LiteralPath {Quote(s)} -Destination {Quote(d)} -Recurse -ErrorAction Ignore; exit 0");

    /// <summary>The program, and the start of a session with the module.</summary>
    public static Contender Program { get; } = Session(
        "btrfs-clone, called there",
        (s, d) => s_import + $"& {Quote(Checkout.File)} copy {Quote(s)} {Quote(d)}; exit $LASTEXITCODE");

    public static Contender GetBtrfsExtent { get; } = Session(
        "Get-BtrfsExtent", (s, _) => s_import + $"Get-BtrfsExtent -LiteralPath {Quote(s)} | Measure-Object");

    /// <summary>Clones numbered files one by one. The session's start is not timed.</summary>
    /// <param name="name">How the report calls it.</param>
    /// <param name="pipeline">What the files' numbers are piped to; <c>$s</c> and <c>$d</c> are the two directories.</param>
    public static Contender Numbered(string name, string pipeline) => Session(
        name,
        (s, d) => s_import +
            $"$s = {Quote(s)}; $d = (New-Item -ItemType Directory {Quote(d)}).FullName; $n = [IO.Directory]::GetFiles($s).Count; " +
            $"$clock = [Diagnostics.Stopwatch]::StartNew(); 1..$n | {pipeline}; " +
            "$clock.Elapsed.TotalSeconds.ToString([cultureinfo]::InvariantCulture)",
        timesItself: true);

    private static Contender Session(string name, Func<string, string, string> script, bool timesItself = false) => new(
        name,
        (s, d) => new("pwsh", "-NoProfile", "-NonInteractive", "-Command", script(s, d)) { TimesItself = timesItself })
    {
        Needs = "pwsh",
    };

    private static string Quote(string path) => $"'{path.Replace("'", "''", StringComparison.Ordinal)}'";
}
