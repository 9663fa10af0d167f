using System.Globalization;
using BtrfsClone.Comparing;

namespace BtrfsClone.PowerShell;

/// <summary>The base class of <c>Compare-BtrfsItem</c> and <c>Test-BtrfsClone</c>.</summary>
public abstract class ComparingCmdlet : PairCmdlet
{
    private CompareSession? _session;
    private WorkProgress? _progress;

    /// <summary>The callback for each entry of a tree, or null.</summary>
    protected virtual Action<CompareResult>? OnEntry => null;

    /// <summary>Processes the result for a pair.</summary>
    /// <param name="result">For trees, that of all files together.</param>
    protected abstract void Take(CompareResult result);

    /// <inheritdoc/>
    protected sealed override void BeginProcessing()
    {
        base.BeginProcessing();
        _session = new CompareSession(
            new ComparisonOptions { OneFileSystem = OneFileSystem },
            new CompareEvents
            {
                OnFailure = WriteFailure,
                OnPassedOver = WarnOfMounts(OneFileSystem),
                OnEntry = OnEntry,
                OnTick = () => _progress!.Tick(),
            });
        _progress = new WorkProgress(
            this, "Comparing", _ => string.Create(CultureInfo.CurrentCulture, $"{_session.Files:N0} files"));
    }

    /// <inheritdoc/>
    protected sealed override void ProcessPair(string path)
    {
        _progress!.Item = path;
        CompareResult result = _session!.Compare(Reference, path, Cancellation);
        WriteVerbose(Describe(result));
        Take(result);
    }

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => _progress!.Complete();

    private static string Describe(CompareResult result)
    {
        string content = result.ComparedLength == 0 ? "no content was read"
            : result.ComparedLength == result.InlineLength ? $"{result.ComparedLength} bytes of inline data were compared by content"
            : $"{result.ComparedLength} bytes were compared by content, since only btrfs's trees tell the place of compressed data, " +
                "and they need CAP_SYS_ADMIN";
        return $"'{PathText.Printable(result.Path)}' was compared by the places of its data; {content}.";
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _session?.Dispose();
        }

        base.Dispose(disposing);
    }
}
