using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Carrying;

/// <summary>
/// NOCOW files that share, of which one is written in place once the others are gone, and is cloned again: what lies in one
/// place is another content then, in an extent that is as old as before.
/// </summary>
internal sealed class InPlace(string folder)
{
    public const string Tools = "chattr cp dd filefrag rm";

    private readonly string _written = Path.Combine(folder, "first", "written");

    /// <summary>What shares at first.</summary>
    public string First => Path.Combine(folder, "first");

    /// <summary>What shares afterwards, once it is written.</summary>
    public string Second => Path.Combine(folder, "second");

    public void Make()
    {
        Directory.CreateDirectory(First);
        Directory.CreateDirectory(Second);
        Shell.Check("chattr", "+C", First, Second);
        Shell.Check("fallocate", "--length", "256K", _written);
        Shell.Check("dd", "if=/dev/urandom", $"of={_written}", "bs=256K", "count=1", "conv=notrunc", "status=none");
        Shell.Check("sync", "--file-system", folder);
        Shell.Check("cp", "--archive", "--reflink=always", _written, Path.Combine(First, "gone"));
        Shell.Check("sync", "--file-system", folder);
    }

    public void Overwrite()
    {
        string before = Place();
        Shell.Check("rm", Path.Combine(First, "gone"));
        Shell.Check("sync", "--file-system", folder);
        Shell.Check("dd", "if=/dev/urandom", $"of={_written}", "bs=256K", "count=1", "conv=notrunc,fsync", "status=none");
        Shell.Check("sync", "--file-system", folder);
        Assert.Equal(before, Place());
        Shell.Check("cp", "--archive", "--reflink=always", _written, Path.Combine(Second, "clone"));
        Shell.Check("sync", "--file-system", folder);
    }

    private string Place() => Shell.Check("filefrag", "-v", _written).Split('\n')[3].Split(':')[2];
}
