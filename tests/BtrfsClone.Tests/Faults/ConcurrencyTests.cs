using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Several invocations clone to one and the same destination at once.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class ConcurrencyTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = Fingerprint.Tools)]
    public void Plain_clones_leave_whole_files_of_one_or_the_other()
    {
        InterruptionTree tree = new(_folder);
        string clone = Path.Combine(_folder, "clone");
        for (int round = 0; round < (TestMachine.IsThorough ? 10 : 2); round++)
        {
            // Two of the new and two of the old, into one directory that exists from the second round on.
            Directory.CreateDirectory(clone);
            Process[] programs =
            [
                .. Enumerable.Range(0, 4).Select(i => Shell.Start(
                    Support.Program.File,
                    ["copy", .. Directory.EnumerateFileSystemEntries(i % 2 == 0 ? tree.Source : tree.Old), clone])),
            ];
            foreach (Process program in programs)
            {
                string error = program.StandardError.ReadToEnd();
                program.WaitForExit();
                Assert.Equal((0, ""), (program.ExitCode, error));
                program.Dispose();
            }

            Assert.Equal(0, tree.AssertOldOrNew(clone, 0));
        }

        tree.AssertSourceIntact();
    }

    [BtrfsFact(Needs = Fingerprint.Tools)]
    public void Of_atomic_clones_one_appears_and_the_others_say_so()
    {
        InterruptionTree tree = new(_folder);
        string place = Directory.CreateDirectory(Path.Combine(_folder, "place")).FullName;
        string clone = Path.Combine(place, "clone");
        for (int round = 0; round < (TestMachine.IsThorough ? 10 : 2); round++)
        {
            Process[] programs =
            [
                .. Enumerable.Range(0, 4).Select(_ => Shell.Start(Support.Program.File, "copy", "--atomic", tree.Source, clone)),
            ];
            int done = 0;
            foreach (Process program in programs)
            {
                string error = program.StandardError.ReadToEnd();
                program.WaitForExit();
                done += program.ExitCode == 0 ? 1 : 0;
                if (program.ExitCode != 0)
                {
                    Assert.Equal(1, program.ExitCode);
                    Assert.StartsWith($"btrfs-clone: {clone}: the destination exists", error, StringComparison.Ordinal);
                }

                program.Dispose();
            }

            // One that began when another had ended has cloned into the directory that it found, as cp(1) does.
            Assert.InRange(done, 1, 4);
            Assert.Equal("clone\n", Shell.Check("ls", "-A", place));
            if (done > 1)
            {
                tree.AssertWhole(Path.Combine(clone, "source"));
                Shell.Check("rm", "-r", Path.Combine(clone, "source"));
                Shell.Check("touch", "--reference", tree.Source, clone);
            }

            tree.AssertWhole(clone);
            Shell.Check("rm", "-r", clone);
        }
    }
}
