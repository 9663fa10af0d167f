using System.CommandLine;
using System.Globalization;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone demo</c>: demonstrates cloning on a scratch filesystem that is removed afterwards.</summary>
internal static class DemoCommand
{
    private const string MachineTree = "/usr/share";

    public static Command Create()
    {
        Option<string?> keep = new("--keep")
        {
            Description = "Instead, make a small btrfs on DIR with the files of the documentation's examples, and leave it there. " +
                "DIR-usb is another filesystem, with files to take in.",
            HelpName = "DIR",
        };
        Command command = new("demo", "Show what cloning does, on a scratch btrfs that is removed afterwards.") { keep };
        command.SetAction(parsed => Invocation.Run(run => Run(run, parsed.GetValue(keep))));
        return command;
    }

    private static void Run(Invocation run, string? keep)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists(ScratchFilesystem.MakeFilesystem))
        {
            run.Fail("demo: it makes and mounts a small btrfs: it needs root and btrfs-progs (apt-get install btrfs-progs)");
            return;
        }

        if (keep is not null)
        {
            Keep(run, FullPath.Of(keep));
            return;
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("btrfs-clone-demo-");
        try
        {
            Show(run, Path.Combine(folder.FullName, "root"));
        }
        finally
        {
            folder.Delete();
        }
    }

    private static void Keep(Invocation run, string folder)
    {
        string other = $"{folder}-usb";
        if (new[] { folder, other }.FirstOrDefault(IsTaken) is { } taken)
        {
            run.Fail($"demo: {PathText.Printable(taken)} is not empty. Name a new folder, or unmount what an earlier demo has left there.");
            return;
        }

        using ScratchFilesystem data = new(folder);
        using ScratchFilesystem usb = new(other, "tmpfs");
        ScratchFilesystem.Command("sh", "-c", DataScript(), "sh", folder, other);
        run.Cancellation.ThrowIfCancellationRequested();
        data.Keep();
        usb.Keep();
        Console.WriteLine(PathText.Printable($"The files are in {folder} and {other}; umount {folder} {other} removes them."));
    }

    private static bool IsTaken(string path) =>
        File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any());

    private static string DataScript()
    {
        using StreamReader reader = new(typeof(DemoCommand).Assembly.GetManifestResourceStream("demo-data.sh")!);
        return reader.ReadToEnd();
    }

    private static void Show(Invocation run, string root)
    {
        using ScratchFilesystem scratch = new(root);
        OverwriteInTheMiddle(run, scratch);
        CloneTree(run, scratch);
    }

    private static void OverwriteInTheMiddle(Invocation run, ScratchFilesystem scratch)
    {
        string foo = Path.Combine(scratch.Root, "foo");
        Console.WriteLine("1. A file of 100 MiB, written, and 4 KiB in its middle written again:");
        ScratchFilesystem.Command("dd", "if=/dev/zero", $"of={foo}", "bs=1M", "count=100", "conv=fsync", "status=none");
        ScratchFilesystem.Command(
            "dd", "if=/dev/zero", $"of={foo}", "bs=4k", "count=1", "seek=100", "conv=notrunc,fsync", "status=none");
        Console.WriteLine(ScratchFilesystem.Command("filefrag", "-v", foo).TrimEnd());
        Console.WriteLine();
        Console.WriteLine("   Cloned: the same pieces of the same extents, now shared, and nothing written:");
        Clone(run, foo, Path.Combine(scratch.Root, "clone"));
        Console.WriteLine(
            ScratchFilesystem.Command("filefrag", "-v", Path.Combine(scratch.Root, "clone")).TrimEnd());
        Console.WriteLine();
    }

    private static void CloneTree(Invocation run, ScratchFilesystem scratch)
    {
        string tree = Path.Combine(scratch.Root, "tree");
        Console.WriteLine($"2. Real files of this machine ({MachineTree}/doc), copied there, then cloned:");
        ScratchFilesystem.Command("cp", "-a", $"{MachineTree}/doc", tree);
        ScratchFilesystem.Command("sync", "-f", tree);
        run.Cancellation.ThrowIfCancellationRequested();
        CloneResult result = Clone(run, tree, Path.Combine(scratch.Root, "tree-clone"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"   {result.Files:N0} files, {result.Directories:N0} directories, {result.SymbolicLinks:N0} links, " +
            $"{result.Length / 1e6:N1} MB in {result.Elapsed.TotalSeconds:N2} s"));
        Console.WriteLine(ScratchFilesystem.Command("btrfs", "filesystem", "du", "-s", tree, $"{tree}-clone").TrimEnd());
    }

    private static CloneResult Clone(Invocation run, string source, string destination)
    {
        using CloneSession session = new(new CloneOptions(), new SessionEvents { OnFailure = run.Fail });
        return session.Clone(source, CloneDestination.Named(destination), run.Cancellation);
    }
}
