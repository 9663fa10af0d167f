using System.Diagnostics;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Faults;

/// <summary>Signals that end a program which does not expect them.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SignalTests(ScratchBtrfs btrfs)
{
    public static TheoryData<int> Signals => [Signal.HangUp, Signal.Interrupt, 3, 10, 12, 14, Signal.Terminate, 16, 24, 26, 27, 29, 30];

    private readonly string _folder = btrfs.NewFolder();

    [RootTheory]
    [MemberData(nameof(Signals))]
    public void A_signal_removes_the_hidden_folder_and_the_snapshot(int signal)
    {
        (int exitCode, string error) = Interrupt(signal, times: 1);

        Assert.Equal((128 + signal, ""), (exitCode, error));
        Assert.Equal("", Shell.Check("ls", "-A", At("place")));
        string subvolumes = Shell.Check("btrfs", "subvolume", "list", _folder);
        Assert.DoesNotContain($"{Path.GetFileName(_folder)}/place/", subvolumes, StringComparison.Ordinal);
    }

    [RootFact]
    public void A_terminal_and_its_shell_may_both_hang_up()
    {
        (int exitCode, string error) = Interrupt(Signal.HangUp, times: 3);

        Assert.Equal((128 + Signal.HangUp, ""), (exitCode, error));
        Assert.Equal("", Shell.Check("ls", "-A", At("place")));
    }

    [RootFact(Needs = "nohup")]
    public void What_ignores_a_signal_goes_on()
    {
        (int exitCode, string error) = Interrupt(Signal.HangUp, times: 1, "nohup");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal("", Shell.Check("diff", "--recursive", "--no-dereference", At("sub/source"), At("place/clone")));
        Assert.Equal("clone\n", Shell.Check("ls", "-A", At("place")));
    }

    /// <summary>Sends a signal to a clone as soon as something of it is there; again, should it have come too late.</summary>
    private (int ExitCode, string Error) Interrupt(int signal, int times, params string[] prefix)
    {
        Shell.Check("btrfs", "--quiet", "subvolume", "create", At("sub"));
        InterruptionTree tree = new(At("sub"));
        string place = Directory.CreateDirectory(At("place")).FullName;
        for (int attempt = 0; ; attempt++)
        {
            using Process program = Shell.Start(
                "env",
                ["--default-signal", "DOTNET_EnableDiagnostics=0", .. prefix, Support.Program.File, "copy", "--jobs=1", "--atomic",
                    "--point-in-time", tree.Source, Path.Combine(place, "clone")]);
            program.StandardInput.Close();
            while (!program.HasExited && Directory.GetFileSystemEntries(place).Length < 2)
            {
                Thread.Yield();
            }

            for (int i = 0; i < times; i++)
            {
                Signal.Send(program, signal);
            }

            string error = program.StandardError.ReadToEnd();
            program.WaitForExit();
            if (program.ExitCode != 0 || prefix.Length > 0 || attempt == 20)
            {
                return (program.ExitCode, error);
            }

            Shell.Check("rm", "-rf", Path.Combine(place, "clone"));
        }
    }

    private string At(string name) => Path.Combine(_folder, name);
}
