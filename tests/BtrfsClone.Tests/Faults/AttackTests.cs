using System.Diagnostics;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>
/// Somebody who owns the source or the destination swaps entries as fast as can be while root clones: nothing outside
/// of the two is read or touched. The program is the victim, and this process the attacker.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed unsafe class AttackTests(ScratchBtrfs btrfs)
{
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(TestMachine.IsThorough ? 30 : 2);

    private readonly string _folder = btrfs.NewFolder();

    /// <summary>Held by the attacker for each blow, and by a test that must not be struck while it looks or tidies up.</summary>
    private readonly object _truce = new();

    [RootTheory(Needs = "find")]
    [InlineData("copy")]
    [InlineData("sync")]
    public void A_source_whose_entries_are_swapped_for_links(string verb)
    {
        string secrets = Path.Combine(_folder, "secrets");
        for (int i = 0; i < 20; i++)
        {
            NewFile(secrets, $"d/leaf{i}", "secret");
            NewFile(_folder, $"source/real/d/leaf{i}", "harmless");
        }

        Directory.CreateDirectory(At("source/links"));
        for (int i = 0; i < 20; i++)
        {
            // Each name in "real" changes places with a link of the same name to its like in "secrets".
            NewFile(_folder, $"source/real/file{i}", "harmless");
            NewFile(secrets, $"file{i}", "secret");
            File.CreateSymbolicLink(At($"source/links/file{i}"), Path.Combine(secrets, $"file{i}"));
        }

        File.CreateSymbolicLink(At("source/links/d"), Path.Combine(secrets, "d"));
        string[] swapped = ["d", .. Enumerable.Range(0, 20).Select(i => $"file{i}")];
        int clones = 0;
        long swaps = Attack(s_duration, swapped, At("source/real"), At("source/links"), () =>
        {
            string clone = At($"clone{clones++}");
            string[] options = clones % 2 == 0 ? [] : verb == "copy" ? ["--atomic"] : ["--in-place"];
            if (verb == "sync")
            {
                // What is there already is compared and changed, and not made.
                NewFile(clone, "real/d/leaf0", "old");
                NewFile(clone, "real/file0", "old");
                options = ["--delete", .. options];
            }

            ShellResult result = Support.Program.Run([verb, .. options, At("source"), clone]);
            Assert.InRange(result.ExitCode, 0, 1);
            if (Directory.Exists(clone))
            {
                // Without following links: they may be cloned, as links.
                Assert.Equal("", Shell.Check("find", clone, "-type", "f", "-size", "6c"));
                Shell.Check("rm", "-r", clone);
            }
        });

        Assert.InRange(swaps, 1000, long.MaxValue);
        Assert.All(
            Directory.EnumerateFiles(At("secrets"), "*", SearchOption.AllDirectories),
            f => Assert.Equal("secret", File.ReadAllText(f)));
    }

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_destination_whose_entries_are_swapped_for_links(bool atomic)
    {
        // What root must not touch: a directory and files of the same names as the clone's.
        string victim = Path.Combine(_folder, "victim");
        Directory.CreateDirectory(At("links"));
        string[] swapped = ["a", "b"];
        foreach (string name in swapped)
        {
            for (int i = 0; i < 20; i++)
            {
                NewFile(_folder, $"source/{name}/sub/file{i}", "from the source");
                NewFile(victim, $"{name}/sub/file{i}", "the victim's");
                Shell.Check("ln", At($"source/{name}/sub/file{i}"), At($"source/{name}/link{i}"));
            }

            Shell.Check("mkfifo", At($"source/{name}/fifo"));
            File.CreateSymbolicLink(At($"source/{name}/symlink"), "nowhere");
            Shell.Check("chmod", "600", victim + $"/{name}/sub/file1");
            File.CreateSymbolicLink(At($"links/{name}"), Path.Combine(victim, name));
            Directory.CreateDirectory(At($"clone/source/{name}/sub"));
        }

        Shell.Check("chown", "-R", "65534:65534", At("source"), At("clone"), At("links"));
        string before = Fingerprint.TextOf(victim);
        int clones = 0;
        long swaps = Attack(s_duration / 2, swapped, At("clone/source"), At("links"), () =>
        {
            // An atomic clone does not merge: each has a new name, which is swapped where it appears.
            string[] arguments = atomic
                ?
                [
                    "copy", "--atomic", "--relative-base", At("source"), At("source/a/sub"), At("source/b/sub"),
                    At($"clone/source/new{clones}"),
                ]
                : ["copy", At("source"), At("clone")];
            clones++;
            ShellResult result = Support.Program.Run(arguments);
            Assert.InRange(result.ExitCode, 0, 1);
        });

        Assert.InRange(swaps, 1000, long.MaxValue);
        Assert.Equal(before, Fingerprint.TextOf(victim));
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(At("clone/source")), path => Path.GetFileName(path).StartsWith('.'));
    }

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData(false)]
    [InlineData(true)]
    public void A_destination_whose_entries_are_swapped_while_it_is_synced(bool inPlace)
    {
        // Names change places with links to the victim's, and with entries of other types.
        string victim = Path.Combine(_folder, "victim");
        Directory.CreateDirectory(At("others"));
        string[] directories = ["a", "b"];
        string[] files = ["file0", "file1", "file2", "file3"];
        foreach (string name in directories)
        {
            for (int i = 0; i < 20; i++)
            {
                NewFile(_folder, $"source/{name}/sub/file{i}", "from the source");
                NewFile(_folder, $"clone/{name}/sub/file{i}", "of old");
                NewFile(_folder, $"clone/{name}/sub/extra{i}", "of old");
                NewFile(victim, $"{name}/sub/file{i}", "the victim's");
                NewFile(victim, $"{name}/sub/extra{i}", "the victim's");
            }

            File.CreateSymbolicLink(At($"others/{name}"), Path.Combine(victim, name));
        }

        foreach (string name in files)
        {
            NewFile(_folder, $"source/{name}", "from the source");
            NewFile(_folder, $"clone/{name}", "of old");
            NewFile(victim, name, "the victim's");
            _ = name == "file0" ? Directory.CreateDirectory(At($"others/{name}")).FullName
                : File.CreateSymbolicLink(At($"others/{name}"), Path.Combine(victim, name)).FullName;
        }

        Shell.Check("chown", "-hR", "65534:65534", At("source"), At("clone"), At("others"));
        string before = Fingerprint.TextOf(victim);
        string[] options = inPlace ? ["--in-place"] : [];
        int round = 0;
        long swaps = Attack(s_duration / 2, [.. directories, .. files], At("clone"), At("others"), () =>
        {
            File.AppendAllText(At($"source/{files[round++ % files.Length]}"), "more");
            ShellResult result = Support.Program.Run(["sync", "--delete", .. options, At("source"), At("clone")]);
            Assert.InRange(result.ExitCode, 0, 1);
        });

        Assert.InRange(swaps, 1000, long.MaxValue);
        Assert.Equal(before, Fingerprint.TextOf(victim));

        // Undisturbed, it comes to its end.
        Assert.Equal(0, Support.Program.Run("sync", "--delete", At("source"), At("clone")).ExitCode);
        Shell.Check("diff", "-r", "--no-dereference", At("source"), At("clone"));
    }

    [RootFact(Needs = Fingerprint.Tools + " setfacl")]
    public void A_destination_whose_special_files_are_swapped()
    {
        // Each FIFO has an ACL, and changes places, once it is made, with a file of root's that lies there too.
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"fifo{i}")];
        string[] sources = [.. names.Select(name => At($"source/{name}"))];
        foreach (string folder in (string[])["source", "clone", "files"])
        {
            Directory.CreateDirectory(At(folder));
        }

        Shell.Check("mkfifo", sources);
        Shell.Check("chown", ["65534:65534", At("clone"), At("files"), .. sources]);
        Shell.Check("setfacl", ["-m", "u:65534:rw", .. sources]);
        long swaps = Attack(s_duration / 6, names, At("clone"), At("files"), () =>
        {
            lock (_truce)
            {
                Shell.Check("find", At("clone"), At("files"), "-mindepth", "1", "-delete");
                foreach (string name in names)
                {
                    NewFile(_folder, $"files/{name}", "root's");
                    Native.Chmod(At($"files/{name}"), 0x100); // 0400
                }
            }

            Assert.InRange(Support.Program.Run(["copy", "--no-clobber", .. sources, At("clone")]).ExitCode, 0, 1);
            lock (_truce)
            {
                Assert.Equal("", Shell.Check(
                    "find", At("clone"), At("files"), "-type", "f", "(", "-not", "-uid", "0", "-o", "-not", "-perm", "400", ")"));
            }
        });

        Assert.InRange(swaps, 10, long.MaxValue);
    }

    [RootFact(Needs = Fingerprint.Tools)]
    public void A_destination_that_is_swapped_for_a_link_as_soon_as_it_is_made()
    {
        string victim = Directory.CreateDirectory(At("victim")).FullName;
        NewFile(victim, "a", "the victim's");
        NewFile(_folder, "source/a", "from the source");
        NewFile(_folder, "source/b", "from the source");
        string before = Fingerprint.TextOf(victim);
        string parent = Directory.CreateDirectory(At("parent")).FullName;
        using CancellationTokenSource stop = new();
        int moved = 0;
        string place = Path.Combine(parent, "new");
        Task attacker = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                lock (_truce)
                {
                    if (new FileInfo(place).LinkTarget is null && Rename(place, At($"moved{moved}")))
                    {
                        TryLink(place, victim);
                        Volatile.Write(ref moved, moved + 1);
                    }
                }
            }
        });
        try
        {
            for (Stopwatch watch = Stopwatch.StartNew(); watch.Elapsed < s_duration / 6 || Volatile.Read(ref moved) < 3;)
            {
                ShellResult result = Support.Program.Run("copy", At("source/a"), At("source/b"), place);
                Assert.InRange(result.ExitCode, 0, 1);
                lock (_truce)
                {
                    // A link that is there before is followed, as the path that was given.
                    Shell.Check("rm", "-rf", place);
                }

                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(2), "The directory was never met.");
            }
        }
        finally
        {
            stop.Cancel();
            attacker.Wait();
        }

        Assert.Equal(before, Fingerprint.TextOf(victim));
    }

    [RootTheory(Needs = Fingerprint.Tools)]
    [InlineData("--atomic")]
    [InlineData("--point-in-time")]
    public void A_hidden_folder_that_is_swapped(string option)
    {
        NewFile(_folder, "source/file", "from the source");
        for (int i = 0; i < 2000; i++)
        {
            NewFile(_folder, $"source/d{i % 10}/file{i}", "from the source");
        }

        string victim = At("victim");
        Shell.Check("btrfs", "subvolume", "create", victim);
        NewFile(victim, "file", "the victim's");
        Shell.Check("chmod", "700", victim);
        string parent = Directory.CreateDirectory(At("parent")).FullName;
        string before = Fingerprint.TextOf(victim);
        using CancellationTokenSource stop = new();
        long moved = 0;
        Task attacker = Task.Run(() =>
        {
            // Who may write in the parent moves the folder away and puts a link, or a subvolume of root's, in its place.
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                foreach (string path in Directory.EnumerateFileSystemEntries(parent, ".btrfs-clone-*"))
                {
                    if (Rename(path, At($"moved{i}")))
                    {
                        moved++;
                        _ = i % 2 == 0 ? Rename(victim, path) : TryLink(path, victim);
                        Thread.Sleep(1);
                        _ = i % 2 == 0 && Rename(path, victim);
                    }
                }
            }
        });
        try
        {
            Stopwatch watch = Stopwatch.StartNew();
            while (watch.Elapsed < s_duration / 10 || Volatile.Read(ref moved) == 0)
            {
                ShellResult result = Support.Program.Run("copy", option, At("source"), Path.Combine(parent, $"clone{moved}"));
                Assert.InRange(result.ExitCode, 0, 1);
                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), "The folder was never met.");
            }
        }
        finally
        {
            stop.Cancel();
            attacker.Wait();
        }

        string found = Directory.Exists(victim) ? victim
            : Assert.Single(
                Directory.GetDirectories(parent),
                d => File.Exists(Path.Combine(d, "file")) && File.ReadAllText(Path.Combine(d, "file")) == "the victim's");
        Assert.Equal(before, Fingerprint.TextOf(found));
    }

    /// <summary>Exchanges entries of the two folders until the time is over, and does the work again and again meanwhile.</summary>
    private long Attack(TimeSpan duration, string[] names, string folder, string other, Action work)
    {
        using CancellationTokenSource stop = new();
        _ = Sys.Open(folder, OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor here);
        _ = Sys.Open(other, OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor there);
        long swaps = 0;
        Task attacker = Task.Run(() =>
        {
            Random random = new(1);
            byte[][] all = [.. names.Select(Utf8Z.From)];
            while (!stop.IsCancellationRequested)
            {
                fixed (byte* name = all[random.Next(all.Length)])
                {
                    lock (_truce)
                    {
                        swaps += Sys.Exchange(here, name, there, name).Succeeded ? 1 : 0;
                    }
                }
            }
        });
        try
        {
            Stopwatch watch = Stopwatch.StartNew();
            for (int clones = 0; clones < 3 || watch.Elapsed < duration; clones++)
            {
                work();
            }
        }
        finally
        {
            stop.Cancel();
            attacker.Wait();
            Sys.Close(here);
            Sys.Close(there);
        }

        return swaps;
    }

    private static bool Rename(string from, string to)
    {
        fixed (byte* oldName = Utf8Z.From(from), newName = Utf8Z.From(to))
        {
            return Sys.RenameNoReplace(
                Descriptor.WorkingDirectory, oldName, Descriptor.WorkingDirectory, newName).Succeeded;
        }
    }

    private static bool TryLink(string path, string target)
    {
        fixed (byte* name = Utf8Z.From(path), to = Utf8Z.From(target))
        {
            return Sys.MakeSymlink(to, Descriptor.WorkingDirectory, name).Succeeded;
        }
    }

    private string At(string name) => Path.Combine(_folder, name);

    private static void NewFile(string folder, string name, string content)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
