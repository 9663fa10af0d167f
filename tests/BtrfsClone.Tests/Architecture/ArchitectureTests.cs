using System.Text.RegularExpressions;
using BtrfsClone.Architecture;
using BtrfsClone.Tests.Support;
using Mono.Cecil;

namespace BtrfsClone.Tests.Architecture;

/// <summary>The compiled code and the sources are as <c>ARCHITECTURE.md</c> and the rules of the house say.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Lazy<HouseRules> s_rules = new(() => new HouseRules(Program.RepositoryRoot));

    private static HouseRules Rules => s_rules.Value;

    [Fact]
    public void The_map_names_every_folder_of_the_engine() => Assert.Equal(
        Rules.EngineFiles().Select(SourceGraph.FolderOf).Distinct().Order(StringComparer.Ordinal),
        Rules.Layers.Order(StringComparer.Ordinal));

    [Fact]
    public void The_map_has_a_line_for_each_file_of_cloning() => Assert.Equal(
        Rules.EngineFiles().Where(file => file.StartsWith("Cloning/", StringComparison.Ordinal))
            .Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal),
        FileLine().Matches(Rules.Map).Select(match => match.Groups["file"].Value).Order(StringComparer.Ordinal));

    [Fact]
    public void The_graph_sees_calls_fields_and_types()
    {
        Assert.Contains("Interop/Sys.Clone.cs", Rules.Graph.Files["Cloning/Files/FileContent.cs"]);
        Assert.Contains("Errors/BtrfsError.cs", Rules.Graph.Files["Errors/ErrorText.cs"]);
        Assert.Contains("Walking/TreeWalk.cs", Rules.Graph.Files["Cloning/Trees/CloneWalk.cs"]);
        Assert.Equal(["a", "b"], Assert.Single(SourceGraph.Cycles(new Dictionary<string, SortedSet<string>>
        {
            ["a"] = ["b"],
            ["b"] = ["a", "c"],
            ["c"] = [],
        })));
    }

    [Fact]
    public void Nothing_breaks_a_rule() => Assert.True(!Rules.Broken.Any(), string.Join('\n', Rules.Broken));

    /// <summary>
    /// .NET's hashes, ciphers and random bytes are OpenSSL's, and where that is not installed or cannot be opened, the runtime ends
    /// the process. What is left is its base64.
    /// </summary>
    [Fact]
    public void Nothing_needs_OpenSSL()
    {
        const string Cryptography = "System.Security.Cryptography";
        string[] harmless = ["CryptoStream", "CryptoStreamMode", "ICryptoTransform", "ToBase64Transform"];
        Assert.Empty(new[] { "bin/BtrfsClone.dll", "bin/BtrfsClone.PowerShell.dll" }
            .SelectMany(file => TypesOf(Path.Combine(Program.RepositoryRoot, file)))
            .Where(type => type.Namespace.StartsWith(Cryptography, StringComparison.Ordinal) && !harmless.Contains(type.Name))
            .Select(type => type.FullName));
    }

    private static TypeReference[] TypesOf(string file)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(file);
        return [.. assembly.MainModule.GetTypeReferences()];
    }

    [GeneratedRegex(@"^- `(?<file>[\w.]+\.cs)`: \w", RegexOptions.Multiline)]
    private static partial Regex FileLine();
}
