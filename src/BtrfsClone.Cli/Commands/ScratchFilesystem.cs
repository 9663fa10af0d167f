using System.Diagnostics;

namespace BtrfsClone.Cli.Commands;

/// <summary>A filesystem that is mounted during the lifetime of this object, or is kept: a btrfs in a file, or a tmpfs.</summary>
internal sealed class ScratchFilesystem : IDisposable
{
    public const string MakeFilesystem = "/usr/sbin/mkfs.btrfs";

    private readonly bool _isNewFolder;
    private readonly bool _mounted;
    private bool _kept;

    /// <param name="root">The mount point, which is created if it does not exist, and removed again.</param>
    /// <param name="type">The type of the filesystem.</param>
    public ScratchFilesystem(string root, string type = "btrfs")
    {
        Root = root;
        _isNewFolder = !Directory.Exists(root);
        Directory.CreateDirectory(root);
        try
        {
            if (type == "btrfs")
            {
                MountImage();
            }
            else
            {
                Command("mount", "-t", type, "none", root);
            }

            _mounted = true;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Root { get; }

    /// <summary>Leaves it mounted.</summary>
    public void Keep() => _kept = true;

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
        if (_kept)
        {
            return;
        }

        if (_mounted)
        {
            // In a session of its own: signals from the terminal that end the program do not end this.
            Command("setsid", "--wait", "umount", Root);
        }

        if (_isNewFolder)
        {
            Directory.Delete(Root);
        }
    }

    private void MountImage()
    {
        string image = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.OpenWrite(image))
            {
                file.SetLength(2L << 30);
            }

            Command(MakeFilesystem, "-q", image);
            Command("mount", "-o", "loop,noatime", image, Root);
        }
        finally
        {
            // The loop device keeps it while it is mounted.
            File.Delete(image);
        }
    }
}
