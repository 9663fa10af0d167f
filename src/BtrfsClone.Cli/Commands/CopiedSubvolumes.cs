using System.Text.Json;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone copy --snapshot</c>: each source becomes a snapshot.</summary>
internal static class CopiedSubvolumes
{
    public static void Take(
        Invocation run, CloneOptions options, SnapshotOptions kind, Sources sources, CloneDestination place, bool json, bool verbose)
    {
        Utf8Output output = new(StandardStream.Output);
        using CloneSession session = new(options, new SessionEvents { OnFailure = run.Fail });
        string why = kind.Recurse ? "the snapshot is in it" : "--recurse makes a snapshot of it, too";
        SnapshotClone snapshots = new(session, kind, nested => run.Warn(
            $"{PathText.Printable(nested)}: nested subvolume: the snapshot leaves it empty; {why}."));
        foreach (CloneSource item in sources.Read(run, session.Covers))
        {
            run.Try(() =>
            {
                CloneResult result = snapshots.Clone(item.Path, place.For(item), run.Cancellation);
                if (verbose)
                {
                    new EntryLines(output, json).Write(result.Source, result.Path);
                }

                if (json)
                {
                    output.Write(JsonSerializer.SerializeToUtf8Bytes(result, JsonLines.Readable.CloneResult));
                    output.EndLine();
                }
            });
        }

        if (snapshots.Count > 1 && !json)
        {
            output.Write(snapshots.Count);
            output.Write(" snapshots, "u8);
            output.Write((long)snapshots.Spread.TotalMilliseconds);
            output.Write(" ms from the first to the last"u8);
            output.EndLine();
        }

        output.Flush();
    }
}
