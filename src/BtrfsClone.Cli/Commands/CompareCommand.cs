using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BtrfsClone.Comparing;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone compare</c>: whether files and trees are clones, and how much is still shared.</summary>
internal static class CompareCommand
{
    private const int Wide = 15;

    public static Command Create()
    {
        Argument<string> reference = new("REFERENCE") { Description = "The file or directory to compare with." };
        Argument<string> path = new("PATH")
        {
            Description = "The file, or the directory with all below it by the same relative paths.",
        };
        Option<bool> detailed = new("--detailed")
        {
            Description = "Write a line for each file, and for each entry without counterpart, too.",
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line, with all that is known." };
        Option<bool> oneFileSystem = CloningOptions.OneFileSystem();
        Command command = new(
            "compare", "Show how much of a file or tree is shared with another one. Exits with 0 if it is a clone, else 1.")
        {
            reference, path, oneFileSystem, detailed, json,
        };
        command.SetAction(parsed => Invocation.Run(run => Compare(
            run, FullPath.Of(parsed.GetValue(reference)!), FullPath.Of(parsed.GetValue(path)!),
            new ComparisonOptions { OneFileSystem = parsed.GetValue(oneFileSystem) }, parsed.GetValue(detailed), parsed.GetValue(json))));
        return command;
    }

    private static void Compare(Invocation run, string reference, string path, ComparisonOptions options, bool detailed, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        CompareSession? session = null;
        bool isFirst = true;
        string? last = null;
        var events = new CompareEvents
        {
            OnFailure = run.Fail,
            OnPassedOver = run.WarnOfMounts(options.OneFileSystem),
            OnEntry = detailed ? Write : null,
            OnTick = () => run.Progress.Show(() => $"{session!.Files:N0} files"),
        };
        using (session = new CompareSession(options, events))
        {
            CompareResult result = session.Compare(
                Path.TrimEndingDirectorySeparator(reference), Path.TrimEndingDirectorySeparator(path), run.Cancellation);
            run.Progress.Clear();
            // A file was written as its own entry.
            if (result.Path != last)
            {
                Write(result);
            }

            if (!json && !detailed)
            {
                List(output, "only in REFERENCE: ", result.OnlyInReference);
                List(output, "only in PATH: ", result.OnlyInPath);
                List(output, "different: ", result.Different);
            }

            output.Flush();
            if (!result.IsClone)
            {
                run.Deny();
            }
        }

        void Write(CompareResult result)
        {
            last = result.Path;
            if (json)
            {
                output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.CompareResult));
                output.EndLine();
                return;
            }

            if (isFirst)
            {
                isFirst = false;
                WriteHead(output);
            }

            WriteRow(output, result);
        }
    }

    private static void WriteHead(Utf8Output output)
    {
        output.WriteRight("LENGTH"u8, Wide);
        output.WriteRight("SHARED"u8, Wide);
        output.WriteRight("INLINE"u8, Wide);
        output.WriteRight("EXCLUSIVE"u8, Wide);
        output.WriteRight("RATIO"u8, 6);
        output.WriteLeft("CLONE"u8, 5);
        output.Write("PATH"u8);
        output.EndLine();
    }

    private static void WriteRow(Utf8Output output, CompareResult result)
    {
        output.WriteRight(result.Length, Wide);
        output.WriteRight(result.SharedLength, Wide);
        output.WriteRight(result.InlineLength, Wide);
        output.WriteRight(result.ExclusiveLength, Wide);
        output.WriteRight(
            result.SharedRatio is double ratio
                // Never 1.0000 unless everything is shared.
                ? Encoding.UTF8.GetBytes((Math.Floor(ratio * 1e4) / 1e4).ToString("F4", CultureInfo.InvariantCulture))
                : "-"u8,
            6);
        output.WriteLeft(result.IsClone ? "yes"u8 : "no"u8, 5);
        bool isMissing = result.Files == 0 && result.OnlyInReference.Count == 1;
        output.Write(Encoding.UTF8.GetBytes(PathText.Printable(isMissing ? result.ReferencePath : result.Path)));
        output.EndLine();
    }

    private static void List(Utf8Output output, string what, IReadOnlyList<string> paths)
    {
        foreach (string path in paths)
        {
            output.Write(Encoding.UTF8.GetBytes(what + PathText.Printable(path)));
            output.EndLine();
        }
    }
}
