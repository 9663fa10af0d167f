using System.Globalization;
using Microsoft.VisualStudio.TestPlatform.ObjectModel;
using Microsoft.VisualStudio.TestPlatform.ObjectModel.Adapter;
using Microsoft.VisualStudio.TestPlatform.ObjectModel.Logging;

namespace BtrfsClone.Pester;

/// <summary>Lets <c>dotnet test</c> see each test of the scripts: lists them, runs them, and tells of every one.</summary>
[FileExtension(".dll")]
[DefaultExecutorUri(Id)]
[ExtensionUri(Id)]
public sealed class PesterAdapter : ITestDiscoverer, ITestExecutor, IDisposable
{
    private const string Id = "executor://btrfsclone/pester";

    private static readonly Uri s_uri = new(Id);

    /// <summary>What a filter on the command line can name.</summary>
    private static readonly Dictionary<string, TestProperty> s_properties = new(StringComparer.OrdinalIgnoreCase)
    {
        ["FullyQualifiedName"] = TestCaseProperties.FullyQualifiedName,
        ["DisplayName"] = TestCaseProperties.DisplayName,
    };

    private readonly CancellationTokenSource _cancellation = new();

    /// <inheritdoc/>
    public void DiscoverTests(
        IEnumerable<string> sources, IDiscoveryContext discoveryContext, IMessageLogger logger, ITestCaseDiscoverySink discoverySink)
    {
        foreach (TestCase test in List(sources, logger))
        {
            discoverySink.SendTestCase(test);
        }
    }

    /// <inheritdoc/>
    public void RunTests(IEnumerable<string>? sources, IRunContext? runContext, IFrameworkHandle? frameworkHandle)
    {
        ITestCaseFilterExpression? filter = runContext?.GetTestCaseFilter(s_properties.Keys, s_properties.GetValueOrDefault);
        if (filter is null)
        {
            Run(sources!.First(), [], frameworkHandle!);
        }
        else
        {
            RunTests(
                List(sources!, frameworkHandle!)
                    .Where(test => filter.MatchTestCase(test, name => test.GetPropertyValue(s_properties[name]))),
                runContext, frameworkHandle);
        }
    }

    /// <inheritdoc/>
    public void RunTests(IEnumerable<TestCase>? tests, IRunContext? runContext, IFrameworkHandle? frameworkHandle)
    {
        TestCase[] chosen = [.. tests!];
        if (chosen.Length > 0)
        {
            Run(
                chosen[0].Source,
                [
                    "-Path", string.Join('\n', chosen.Select(test => test.CodeFilePath).Distinct()),
                    "-Line", string.Join('\n', chosen.Select(Place).Distinct()),
                ],
                frameworkHandle!);
        }
    }

    /// <inheritdoc/>
    public void Cancel() => _cancellation.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _cancellation.Dispose();

    private static string Place(TestCase test) =>
        string.Create(CultureInfo.InvariantCulture, $"{test.CodeFilePath}:{test.LineNumber}");

    private static TestCase Case(PesterTest test, string source, Dictionary<string, int> names)
    {
        string name = $"{Path.GetFileName(test.File).Replace(".Tests.ps1", "", StringComparison.Ordinal)}.{test.Name}";
        int count = names[name] = names.GetValueOrDefault(name) + 1;
        return new TestCase(count == 1 ? name : $"{name} ({count})", s_uri, source)
        {
            DisplayName = test.Text,
            CodeFilePath = test.File,
            LineNumber = test.Line,
        };
    }

    private List<TestCase> List(IEnumerable<string> sources, IMessageLogger logger)
    {
        List<TestCase> tests = [];
        Dictionary<string, int> names = [];
        string source = sources.First();
        PesterScripts.Run(
            ["-List"], line => logger.SendMessage(TestMessageLevel.Warning, line),
            test => tests.Add(Case(test, source, names)), _cancellation.Token);
        return tests;
    }

    private void Run(string source, string[] arguments, IFrameworkHandle handle)
    {
        Dictionary<string, int> names = [];
        bool failed = false;
        int exitCode = PesterScripts.Run(
            arguments, line => handle.SendMessage(TestMessageLevel.Informational, line),
            test =>
            {
                failed |= test.Result == "Failed";
                Record(Case(test, source, names), test, handle);
            },
            _cancellation.Token);
        if (exitCode != 0 && !failed)
        {
            handle.SendMessage(TestMessageLevel.Error, $"pwsh ended with {exitCode} before all tests had run.");
        }
    }

    private static void Record(TestCase test, PesterTest found, IFrameworkHandle handle)
    {
        TestOutcome outcome = found.Result switch
        {
            "Passed" => TestOutcome.Passed,
            "Skipped" or "Inconclusive" => TestOutcome.Skipped,
            _ => TestOutcome.Failed,
        };
        handle.RecordStart(test);
        handle.RecordEnd(test, outcome);
        handle.RecordResult(new TestResult(test)
        {
            Outcome = outcome,
            Duration = TimeSpan.FromSeconds(found.Duration),
            ErrorMessage = found.Message,
            ErrorStackTrace = found.Trace,
        });
    }
}
