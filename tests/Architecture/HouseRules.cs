using System.Globalization;
using System.Text.RegularExpressions;

namespace BtrfsClone.Architecture;

/// <summary>
/// The rules of the house that a program can check, and what breaks them: a text for each, that begins with the rule's name.
/// </summary>
public sealed partial class HouseRules
{
    private const int MaxFileLines = 300;

    private readonly string _root;
    private readonly string _engine;

    /// <param name="root">The checkout, with the engine built in <c>bin</c>.</param>
    public HouseRules(string root)
    {
        _root = root;
        _engine = Path.Combine(root, "src/BtrfsClone");
        Graph = SourceGraph.Read(Path.Combine(root, "bin/BtrfsClone.dll"), _engine);
        Map = File.ReadAllText(Path.Combine(root, "ARCHITECTURE.md"));
        Owners = [.. OwnerRow().Matches(Section("Who closes a descriptor")).Select(m => m.Groups["file"].Value)];
        Layers =
        [
            .. FolderRow().Matches(Section("The engine's folders")).Select(m => m.Groups["folder"].Value)
                .Select(name => name == "(root)" ? "" : name),
        ];
    }

    public SourceGraph Graph { get; }

    /// <summary>The text of <c>ARCHITECTURE.md</c>.</summary>
    public string Map { get; }

    /// <summary>The files of those who keep descriptors open beyond a block, as the map has them, and so may close them.</summary>
    public IReadOnlyCollection<string> Owners { get; }

    /// <summary>The folders as the map has them, the lowest one first.</summary>
    public IReadOnlyList<string> Layers { get; }

    /// <summary>What breaks a rule.</summary>
    public IEnumerable<string> Broken =>
    [
        .. Graph.Folders.SelectMany(folder => folder.Value
            .Where(known => Layers.ToList().IndexOf(known) > Layers.ToList().IndexOf(folder.Key))
            .Select(known => $"a folder knows one below it: {Name(folder.Key)} -> {Name(known)}")),
        .. Graph.Folders.Keys.SelectMany(Graph.CyclesInside).Where(cycle => cycle.Length > 2)
            .Select(cycle => $"a knot of files: {string.Join(", ", cycle)}"),
        .. Sources("src").Where(file => File.ReadLines(file).Count() > MaxFileLines)
            .Select(file => $"a file of more than {MaxFileLines} lines: {Relative(file)}"),
        .. OutsideInterop.Where(file => File.ReadAllText(file).Contains("Sys.Close(", StringComparison.Ordinal))
            .Where(file => !Owners.Contains(Path.GetRelativePath(_engine, file)))
            .Select(file => $"a descriptor without an owner: {Relative(file)}"),
        .. OutsideInterop.Where(file => SignCheck().IsMatch(File.ReadAllText(file)))
            .Select(file => $"a sign in place of a result's type: {Relative(file)}"),
        .. Sources("src").Concat(Sources("tests")).Where(file => File.ReadLines(file).Any(line => line.Length > LineLimit))
            .Select(file => $"a line of more than {LineLimit} characters: {Relative(file)}"),
    ];

    private int LineLimit => int.Parse(
        LineLimitOf().Match(File.ReadAllText(Path.Combine(_root, ".editorconfig"))).Groups["limit"].Value,
        CultureInfo.InvariantCulture);

    private IEnumerable<string> OutsideInterop =>
        Sources("src").Where(file => !file.Contains("/Interop/", StringComparison.Ordinal));

    /// <summary>A folder's name for people.</summary>
    public static string Name(string folder) => folder.Length == 0 ? "(root)" : folder;

    /// <summary>All source files of the engine, relative to its folder.</summary>
    public IEnumerable<string> EngineFiles() => SourceFiles.In(_engine);

    private IEnumerable<string> Sources(string folder) => Directory.EnumerateDirectories(Path.Combine(_root, folder))
        .Order(StringComparer.Ordinal)
        .SelectMany(project => SourceFiles.In(project).Select(file => Path.Combine(project, file)));

    private string Relative(string file) => Path.GetRelativePath(_root, file);

    /// <summary>What the map has below one of its headings; other tables begin with names of files and folders, too.</summary>
    private string Section(string heading) => Map.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));

    [GeneratedRegex(@"^\| `(?<folder>[\w/()]+)` \|", RegexOptions.Multiline)]
    private static partial Regex FolderRow();

    [GeneratedRegex(@"^\| `(?<file>[\w/]+\.cs)` \|", RegexOptions.Multiline)]
    private static partial Regex OwnerRow();

    [GeneratedRegex(@"-(?:\(\w+\))?Errno\.|\.FromKernel\(|\b(?:result|error|errno|\w*[dD]escriptor)\s*(?:<|>=)\s*0\b")]
    private static partial Regex SignCheck();

    [GeneratedRegex(@"^max_line_length = (?<limit>\d+)$", RegexOptions.Multiline)]
    private static partial Regex LineLimitOf();
}
