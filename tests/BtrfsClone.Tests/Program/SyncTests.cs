using System.Text.Json;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.ProgramTests;

/// <summary><c>btrfs-clone sync</c> as a process.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class SyncTests(ScratchBtrfs btrfs)
{
    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = "cp diff")]
    public void Writes_JSON_if_asked_to()
    {
        string source = Path.Combine(_folder, "source");
        string destination = Path.Combine(_folder, "destination");
        Directory.CreateDirectory(source);
        File.WriteAllBytes(Path.Combine(source, "kept"), new byte[8192]);
        Shell.Check("cp", "-a", source, destination);
        File.WriteAllBytes(Path.Combine(source, "new"), new byte[4096]);
        File.WriteAllText(Path.Combine(destination, "extra"), "x");

        ShellResult planned = Support.Program.Run("sync", "--delete", "--dry-run", "--json", source, destination);
        ShellResult done = Support.Program.Run("sync", "--delete", "--json", source, destination);

        Assert.Equal((0, "", 0, ""), (planned.ExitCode, planned.Error, done.ExitCode, done.Error));
        JsonElement[] lines = [.. planned.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(
            [("Create", Path.Combine(destination, "new")), ("Delete", Path.Combine(destination, "extra"))],
            lines[..^1].Where(line => line.GetProperty("Kind").GetString() == "File")
                .Select(line => (line.GetProperty("Action").GetString()!, line.GetProperty("Path").GetString()!)).Order());
        foreach (JsonElement result in new[] { lines[^1], JsonDocument.Parse(done.Output).RootElement })
        {
            Assert.Equal(source, result.GetProperty("Source").GetString());
            Assert.Equal(destination, result.GetProperty("Path").GetString());
            Assert.Equal(1, result.GetProperty("Created").GetInt64());
            Assert.Equal(1, result.GetProperty("Deleted").GetInt64());
            Assert.Equal(4096, result.GetProperty("SharedLength").GetInt64());
            Assert.Equal(0, result.GetProperty("Failed").GetInt64());
        }

        Shell.Check("diff", "-r", source, destination);
    }
}
