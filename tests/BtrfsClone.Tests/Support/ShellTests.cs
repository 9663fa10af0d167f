using System.Diagnostics;

namespace BtrfsClone.Tests.Support;

public sealed class ShellTests
{
    [Fact]
    public void A_process_ends_with_its_owner_even_if_it_is_stopped()
    {
        int id;
        using (Process process = Shell.Start("sleep", "60"))
        {
            id = process.Id;
            Assert.True(Signal.Send(process, Signal.Stop));
        }

        Assert.False(Directory.Exists($"/proc/{id}"));
    }
}
