using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using BtrfsClone.Measuring;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone measure</c>: what files and trees take on disk.</summary>
internal static class MeasureCommand
{
    private const int Wide = 15;

    public static Command Create()
    {
        Argument<string[]> paths = new("PATH...")
        {
            Description = "Files, and directories with all below them.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line, with all that is known." };
        Option<bool> byCompression = new("--by-compression")
        {
            Description = "Write a line for each kind of compression, too (needs root).",
        };
        Command command = new("measure", "Show what files and trees take on disk, and share.")
        {
            paths, json, byCompression,
        };
        command.SetAction(parsed => Invocation.Run(run => Measure(
            run, parsed.GetValue(paths)!, parsed.GetValue(json), parsed.GetValue(byCompression))));
        return command;
    }

    private static void Measure(Invocation run, string[] paths, bool json, bool byCompression)
    {
        using Utf8Output output = new(Console.OpenStandardOutput());
        MeasureSession? session = null;
        using (session = new MeasureSession(run.Fail, () => run.Progress.Show(() => $"{session!.Files:N0} files")))
        {
            bool isFirst = true;
            foreach (string path in paths)
            {
                try
                {
                    MeasureResult result = session.Measure(FullPath.Of(path), run.Cancellation);
                    run.Progress.Clear();
                    if (json)
                    {
                        output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.MeasureResult));
                        output.EndLine();
                    }
                    else
                    {
                        Write(output, result, isFirst, byCompression);
                    }

                    isFirst = false;
                }
                catch (BtrfsException failure)
                {
                    run.Fail(failure);
                }

                output.Flush();
            }
        }
    }

    private static void Write(Utf8Output output, MeasureResult result, bool isFirst, bool byCompression)
    {
        if (isFirst)
        {
            foreach (string head in (ReadOnlySpan<string>)["LENGTH", "EXCLUSIVE", "SET SHARED", "ON DISK"])
            {
                output.WriteRight(Encoding.UTF8.GetBytes(head), Wide);
            }

            output.WriteRight("RATIO"u8, 5);
            output.WriteRight("EXTENTS"u8, 9);
            output.Write("PATH"u8);
            output.EndLine();
        }

        output.WriteRight(result.Length, Wide);
        output.WriteRight(result.ExclusiveLength, Wide);
        output.WriteRight(result.SetSharedLength, Wide);
        WriteExtents(output, result.DiskLength, result.CompressionRatio, result.ExtentCount);
        output.Write(Encoding.UTF8.GetBytes(PathText.Printable(result.Path)));
        output.EndLine();
        foreach (CompressionUsage usage in byCompression && result.ByCompression is not null ? result.ByCompression : [])
        {
            output.WriteRight(usage.Length, Wide);
            output.WriteRight(""u8, Wide);
            output.WriteRight(""u8, Wide);
            WriteExtents(output, usage.DiskLength, usage.CompressionRatio, usage.ExtentCount);
            output.Write(Encoding.UTF8.GetBytes($"  {usage.Type}"));
            output.EndLine();
        }
    }

    private static void WriteExtents(Utf8Output output, long? diskLength, double? ratio, long? count)
    {
        Write(output, diskLength, Wide);
        output.WriteRight(
            ratio is double known ? Encoding.UTF8.GetBytes(known.ToString("F2", CultureInfo.InvariantCulture)) : "-"u8, 5);
        Write(output, count, 9);
    }

    private static void Write(Utf8Output output, long? number, int width)
    {
        if (number is long known)
        {
            output.WriteRight(known, width);
        }
        else
        {
            output.WriteRight("-"u8, width);
        }
    }
}
