namespace BtrfsClone.Tests.Support;

/// <summary>What this machine lets the tests do; decided once, when they are discovered.</summary>
public static class TestMachine
{
    /// <summary>The environment variable that names a btrfs folder to use in place of a scratch image.</summary>
    public const string FolderVariable = "BTRFSCLONE_TEST_DIR";

    /// <summary>The btrfs folder to use in place of a scratch image, or null.</summary>
    public static string? Folder { get; } = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder
        ? Path.GetFullPath(folder)
        : null;

    /// <summary>Whether tests that repeat something are to repeat it as often as it takes to be sure.</summary>
    public static bool IsThorough { get; } = Environment.GetEnvironmentVariable("BTRFSCLONE_LONG_TESTS") == "1";

    public static bool IsRoot { get; } = Environment.UserName == "root";

    /// <summary>Why no scratch image can be made and mounted here, or null where one can.</summary>
    public static string? NoScratchImage { get; } = FindNoScratchImage();

    /// <summary>Why no test that needs btrfs can run here, or null where they can.</summary>
    public static string? NoBtrfs { get; } = FindNoBtrfs();

    /// <summary>Why no test that needs root and a scratch image can run here, or null where they can.</summary>
    public static string? NoRoot { get; } = Folder is null
        ? NoScratchImage
        : $"{FolderVariable} is set, and this test needs a scratch image of its own.";

    private static readonly Lazy<string?> s_noOtherUser = new(FindNoOtherUser);

    /// <summary>
    /// Names the first of the commands (separated by spaces) that is not on the search path, or null. For setpriv, with which tests
    /// run the program as another user, also whether that user can reach it.
    /// </summary>
    public static string? Lacks(string commands)
    {
        string[] each = commands.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return each.FirstOrDefault(c => !Shell.Has(c)) is { } missing
            ? $"The command '{missing}' is not installed."
            : each.Contains("setpriv") ? s_noOtherUser.Value : null;
    }

    private static string? FindNoScratchImage()
    {
        if (!IsRoot)
        {
            return $"Mounting a scratch btrfs needs root. Run as root, or name a btrfs folder in {FolderVariable}.";
        }

        if (Lacks("mkfs.btrfs btrfs mount losetup") is { } missing)
        {
            return missing + " The tests need btrfs-progs, mount and losetup.";
        }

        return Shell.Run("losetup", "--find").ExitCode == 0 ? null : "No loop device can be had here.";
    }

    private static string? FindNoOtherUser()
    {
        string? closed = new[] { Program.RepositoryRoot, Path.GetTempPath() }.FirstOrDefault(folder => Shell.Run(
            "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", folder + "/.").ExitCode != 0);
        return !IsRoot || closed is null ? null : $"Other users cannot enter {closed}, which this test needs.";
    }

    private static string? FindNoBtrfs()
    {
        if (Folder is null)
        {
            return NoScratchImage;
        }

        ShellResult type = Shell.Run("stat", "--file-system", "--format=%T", Folder);
        return type.ExitCode == 0 && type.Output.Trim() == "btrfs"
            ? null
            : $"{FolderVariable} names {Folder}, which is no folder on btrfs.";
    }
}
