using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using BtrfsClone.Cloning;

namespace BtrfsClone.Cli.Commands;

/// <summary><c>btrfs-clone demo</c>: what cloning is, shown on a scratch filesystem that is removed afterwards.</summary>
internal static class DemoCommand
{
    private const string MachineTree = "/usr/share";

    public static Command Create()
    {
        Command command = new("demo", "Show what cloning does, on a scratch btrfs that is removed afterwards.");
        command.SetAction(_ => Invocation.Run(Run));
        return command;
    }

    private static void Run(Invocation run)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists(ScratchFilesystem.MakeFilesystem))
        {
            run.Fail("demo: it makes and mounts a small btrfs: it needs root and btrfs-progs (apt-get install btrfs-progs)");
            return;
        }

        using ScratchFilesystem scratch = new();
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

    /// <summary>A btrfs in a sparse file, mounted for as long as this lives.</summary>
    private sealed class ScratchFilesystem : IDisposable
    {
        public const string MakeFilesystem = "/usr/sbin/mkfs.btrfs";

        private readonly string _folder = Directory.CreateTempSubdirectory("btrfs-clone-demo-").FullName;
        private readonly bool _mounted;

        public ScratchFilesystem()
        {
            string image = Path.Combine(_folder, "image");
            Root = Path.Combine(_folder, "root");
            Directory.CreateDirectory(Root);
            try
            {
                using (FileStream file = File.Create(image))
                {
                    file.SetLength(2L << 30);
                }

                Command(MakeFilesystem, "-q", image);
                Command("mount", "-o", "loop", image, Root);
                _mounted = true;
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public string Root { get; }

        public static string Command(string program, params string[] arguments)
        {
            ProcessStartInfo start = new(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            Task<string> error = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new IOException($"{program}: {error.Result.Trim()}");
        }

        public void Dispose()
        {
            if (_mounted)
            {
                // In a session of its own: what ends the program from the terminal does not end this.
                Command("setsid", "--wait", "umount", Root);
            }

            Directory.Delete(_folder, recursive: true);
        }
    }
}
