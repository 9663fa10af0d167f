using System.CommandLine;
using System.Text;
using System.Text.Json;
using BtrfsClone.Owning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone owners</c>: the references to the extents of files.</summary>
internal static class OwnersCommand
{
    private const int Wide = 15;
    private const int Narrow = 10;

    public static Command Create()
    {
        Argument<string[]> paths = new("FILE...")
        {
            Description = "The files whose extents are looked up.",
            Arity = new ArgumentArity(1, 100_000),
        };
        Option<bool> json = new("--json") { Description = "Write one JSON object a line, with all that is known." };
        Command command = new("owners", "Show who refers to the extents of files, in all subvolumes and snapshots (needs root).")
        {
            paths, json,
        };
        command.SetAction(parsed => Invocation.Run(run => Show(run, parsed.GetValue(paths)!, parsed.GetValue(json))));
        return command;
    }

    private static void Show(Invocation run, string[] files, bool json)
    {
        Utf8Output output = new(StandardStream.Output);
        using OwnerSession session = new();
        long extent = 0;
        foreach (string file in files.TakeWhile(_ => output.IsOpen))
        {
            try
            {
                foreach (BtrfsExtentOwner owner in session.Read(FullPath.ThroughLink(file), run.Cancellation).TakeWhile(_ => output.IsOpen))
                {
                    if (json)
                    {
                        output.Write(JsonSerializer.SerializeToUtf8Bytes(owner, JsonLines.Readable.BtrfsExtentOwner));
                        output.EndLine();
                    }
                    else
                    {
                        Write(output, owner, isFirstLine: extent == 0, isFirstOfExtent: extent != owner.DiskOffset);
                    }

                    extent = owner.DiskOffset;
                }
            }
            catch (BtrfsException failure)
            {
                run.Fail(failure);
            }

            output.Flush();
        }
    }

    private static void Write(Utf8Output output, BtrfsExtentOwner owner, bool isFirstLine, bool isFirstOfExtent)
    {
        if (isFirstLine)
        {
            output.WriteRight("EXTENT AT"u8, Wide);
            output.WriteRight("DISKLENGTH"u8, Narrow);
            output.WriteRight("OFFSET"u8, Wide);
            output.WriteRight("LENGTH"u8, Narrow);
            output.WriteRight("INODE"u8, Narrow);
            output.Write("PATH"u8);
            output.EndLine();
        }

        if (isFirstOfExtent)
        {
            output.WriteRight(owner.DiskOffset, Wide);
            output.WriteRight(owner.DiskLength, Narrow);
        }
        else
        {
            output.WriteRight(""u8, Wide);
            output.WriteRight(""u8, Narrow);
        }

        output.WriteRight(owner.Offset, Wide);
        output.WriteRight(owner.Length, Narrow);
        output.WriteRight(owner.Inode, Narrow);
        output.Write(Encoding.UTF8.GetBytes(PathText.Printable(Place(owner))));
        output.EndLine();
    }

    /// <summary>The visible path; otherwise the subvolume in brackets, and the path in it.</summary>
    private static string Place(BtrfsExtentOwner owner) => owner switch
    {
        { Path: string path } => path,
        { Subvolume: null } => $"[subvolume {owner.SubvolumeId}, which is being deleted]",
        { PathInSubvolume: null } => $"[{owner.Subvolume}] (deleted)",
        _ => $"[{owner.Subvolume}] {owner.PathInSubvolume}",
    };
}
