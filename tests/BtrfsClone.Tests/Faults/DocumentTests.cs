using System.Text.RegularExpressions;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>The tests that <c>docs/faults.md</c> names are there.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void Every_test_that_is_named_exists()
    {
        string text = File.ReadAllText(Path.Combine(Program.RepositoryRoot, "docs/faults.md"));
        string[] files = Directory.GetFiles(Path.Combine(Program.RepositoryRoot, "tests"), "*Tests.*", SearchOption.AllDirectories);
        string Source(string name) => File.ReadAllText(Assert.Single(
            files, file => Path.GetFileName(file) == name && !file.Contains("/bin/", StringComparison.Ordinal)));

        MatchCollection methods = MethodName().Matches(text);
        Assert.InRange(methods.Count, 40, int.MaxValue);
        Assert.All(methods, match => Assert.Contains(
            $" {match.Groups["method"]}(", Source($"{match.Groups["class"]}.cs"), StringComparison.Ordinal));
        Assert.All(PesterName().Matches(text), match => Assert.Contains(
            match.Groups["it"].Value, Source(match.Groups["file"].Value), StringComparison.Ordinal));
    }

    [GeneratedRegex(@"`(?<class>\w+Tests)\.(?<method>\w+)`")]
    private static partial Regex MethodName();

    [GeneratedRegex("\"(?<it>[^\"]+)\" in `(?<file>[\\w.-]+\\.ps1)`")]
    private static partial Regex PesterName();
}
