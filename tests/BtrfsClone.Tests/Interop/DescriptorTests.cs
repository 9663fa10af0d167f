using System.Text;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Interop;

/// <summary>What descriptors and results of calls are, and that no errno and no mode is another one.</summary>
[NoOpenDescriptors]
public sealed class DescriptorTests
{
    [Fact]
    public void The_default_is_no_descriptor_for_any_call()
    {
        Descriptor none = default;

        Assert.False(none.IsOpen);
        Assert.Equal(Descriptor.None, none);
        Assert.Equal(Errno.EBADF, Sys.Stat(none, out _).Error);
        Sys.Close(none);
        Assert.True(Sys.Stat(Descriptor.FromKernel(0), out _).Succeeded, "Closing none has closed the standard input.");
    }

    [Fact]
    public void What_could_not_be_opened_is_none_and_tells_why()
    {
        CallResult result = Sys.Open("/proc/self/missing", OpenFlags.ReadOnly, out Descriptor opened);

        Assert.True(result is { Failed: true, Succeeded: false, Error: Errno.ENOENT, Value: 0 });
        Assert.False(opened.IsOpen);
    }

    [Fact]
    public void A_descriptor_that_is_closed_twice_is_found()
    {
        Assert.True(Sys.Open("/", OpenFlags.Directory, out Descriptor opened).Succeeded);
        Sys.Close(opened);

        Assert.Throws<InvalidOperationException>(() => Sys.Close(opened));
    }

    [Fact]
    public void An_owner_that_is_forgotten_closes_in_the_end()
    {
        Descriptor opened = Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.Equal(Errno.EBADF, Sys.Stat(opened, out _).Error);

        static Descriptor Forget()
        {
            Assert.True(Sys.Open("/", OpenFlags.Directory, out Descriptor opened).Succeeded);
            return new OwnedDescriptor(opened).Descriptor;
        }
    }

    [Fact]
    public void Many_are_closed_at_once_in_any_order_and_no_other()
    {
        var opened = new Descriptor[9];
        foreach (ref Descriptor descriptor in opened.AsSpan())
        {
            Assert.True(Sys.Open("/", OpenFlags.Directory, out descriptor).Succeeded);
        }

        Descriptor kept = opened[4];
        Descriptor[] closed = [.. opened.Where(descriptor => descriptor != kept).Reverse()];
        Sys.CloseAll(closed);

        Assert.True(Sys.Stat(kept, out _).Succeeded);
        Assert.All(closed, descriptor => Assert.Equal(Errno.EBADF, Sys.Stat(descriptor, out _).Error));
        Sys.Close(kept);
    }

    [Fact]
    public void A_count_beyond_32_bits_is_whole_and_an_errno_none()
    {
        CallResult result = CallResult.Count(5L << 32);

        Assert.True(result is { Failed: false, Succeeded: true, Error: Errno.None, Value: 5L << 32 });
        Assert.False(result.Is(Errno.EPERM));
        Assert.True(((CallResult)Errno.EPERM).Is(Errno.EPERM));
    }

    [Fact]
    public void The_path_in_proc_leads_to_what_is_open()
    {
        Assert.True(Sys.Open("/usr", OpenFlags.Directory, out Descriptor opened).Succeeded);
        byte[] written = new byte[32];
        int length = opened.WritePath(written);

        Assert.Equal("/usr", File.ResolveLinkTarget(opened.Path, returnFinalTarget: false)!.FullName);
        Assert.Equal(opened.Path + "\0", Encoding.ASCII.GetString(written, 0, length + 1));
        Sys.Close(opened);
    }

    [BtrfsFact(Needs = "python3")]
    public void Each_errno_is_the_number_that_others_have_for_it()
    {
        string names = string.Join(' ', Enum.GetNames<Errno>().Where(name => name != nameof(Errno.None)));
        string numbers = Shell.Check("python3", "-c", $"import errno; print(*(getattr(errno, n) for n in '{names}'.split()))");

        Assert.Equal(numbers.Split(' ').Select(int.Parse), Enum.GetValues<Errno>().Skip(1).Cast<int>());
    }

    [Theory]
    [InlineData(Sys.ModePermissions, "7777")]
    [InlineData(Sys.ModeSetUid, "4000")]
    [InlineData(Sys.ModeSetGid, "2000")]
    [InlineData(Sys.ModeSticky, "1000")]
    [InlineData(Sys.ModeSpecial, "7000")]
    [InlineData(Sys.ModeAccess, "777")]
    [InlineData(Sys.ModeOwner, "700")]
    [InlineData(Sys.ModeOwnerReadWrite, "600")]
    [InlineData(Sys.ModeOthers, "77")]
    [InlineData(Sys.ModeOthersWrite, "22")]
    [InlineData(Sys.ModeAnyWrite, "222")]
    [InlineData(Sys.ModeTypeMask, "170000")]
    public void A_mode_is_the_octal_number_that_it_stands_for(uint mode, string octal) =>
        Assert.Equal(octal, Convert.ToString(mode, 8));
}
