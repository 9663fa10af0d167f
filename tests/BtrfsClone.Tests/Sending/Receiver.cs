using System.Globalization;
using BtrfsClone.Sending;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Sending;

/// <summary>Sends directories to <c>btrfs receive</c> on another btrfs.</summary>
internal sealed class Receiver : IDisposable
{
    private readonly ScratchImage _image = new(2L << 30, "noatime", "mkfs.btrfs", "--quiet", "--metadata", "single");
    private int _count;

    public string Device => _image.Device;

    /// <summary>What failed while the last stream was made.</summary>
    public List<BtrfsException> Failures { get; } = [];

    /// <summary>A folder of its own for a stream's subvolumes, or a file's name.</summary>
    public string NewPath() => Path.Combine(_image.Root, _count++.ToString(CultureInfo.InvariantCulture));

    /// <summary>The stream of some directories, in a file.</summary>
    public string Send(SendOptions options, out SendResult[] results, params string[] directories) =>
        Send(options, out results, directories.AsEnumerable());

    /// <summary>The same of directories that are asked for one after the other.</summary>
    public string Send(SendOptions options, out SendResult[] results, IEnumerable<string> directories)
    {
        string stream = NewPath();
        Failures.Clear();
        using SendFileStream file = SendFileStream.Create(stream);
        using var session = new SendSession(options, new SessionEvents { OnFailure = Failures.Add }, file);
        results = [.. directories.Select(directory => session.Send(directory, CancellationToken.None))];
        session.Complete();
        file.Publish();
        return stream;
    }

    /// <summary>Receives a stream. Returns the folder that has its subvolumes, of which nothing is dirty.</summary>
    public string Receive(string stream)
    {
        string folder = Directory.CreateDirectory(NewPath()).FullName;
        Shell.Check("btrfs", "receive", "--quiet", "-f", stream, folder);
        Shell.Check("sync", "--file-system", folder);
        return folder;
    }

    /// <summary>Sends and receives one directory. Returns the subvolume that has been made of it.</summary>
    public string Carry(string directory, int protocol, out SendResult result)
    {
        string stream = Send(new SendOptions { Protocol = protocol }, out SendResult[] results, directory);
        result = results[0];
        return Path.Combine(Receive(stream), Path.GetFileName(directory));
    }

    /// <summary>Removes what was received.</summary>
    public static void Remove(string subvolume) => Shell.Check("btrfs", "subvolume", "delete", subvolume);

    public void Check() => _image.Check();

    public void Dispose() => _image.Dispose();
}
