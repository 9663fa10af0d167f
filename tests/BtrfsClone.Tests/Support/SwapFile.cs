namespace BtrfsClone.Tests.Support;

/// <summary>An active swap file, as the one thing on btrfs that even root cannot clone.</summary>
internal sealed class SwapFile : IDisposable
{
    /// <summary>The commands that it needs.</summary>
    public const string Tools = "chattr fallocate mkswap swapon swapoff";

    public SwapFile(string path)
    {
        Path = path;
        File.WriteAllBytes(path, []);
        Shell.Check("chattr", "+C", path);
        Shell.Check("fallocate", "--length", "16M", path);
        Shell.Check("chmod", "600", path);
        Shell.Check("mkswap", "--quiet", path);
        Shell.Check("swapon", path);
    }

    public string Path { get; }

    public void Dispose() => Shell.Check("swapoff", Path);
}
