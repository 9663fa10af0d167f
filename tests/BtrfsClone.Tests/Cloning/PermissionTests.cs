using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Cloning;

/// <summary>
/// At no moment does an entry of a growing clone grant more than it will in the end. The tests look while the clone
/// grows: they may miss a window, but what they see is there.
/// </summary>
[Collection(ScratchBtrfs.Name)]
public sealed unsafe class PermissionTests(ScratchBtrfs btrfs)
{
    private const int Files = 2000;
    private const uint Owner = 65534;

    [RootFact(Needs = "setfacl")]
    public void No_entry_grants_more_while_it_is_made()
    {
        string folder = btrfs.NewFolder();
        string source = Path.Combine(folder, "source");
        Native.MakeDirectory(source);
        for (int i = 0; i < Files; i++)
        {
            string path = $"{source}/{i}";
            if (i % 4 == 0)
            {
                Native.MakeDirectory(path);
            }
            else
            {
                using (Native.CreateFile(path))
                {
                }
            }

            Native.Chown(path, Owner, Owner);
            // Owner only, every other one with setuid and setgid.
            Native.Chmod(path, i % 2 == 0 ? 0x180u : 0xDC0u);
        }

        // A new entry here takes over all permissions for a named user.
        string parent = Directory.CreateDirectory(Path.Combine(folder, "parent")).FullName;
        Shell.Check("setfacl", "-d", "-m", "u:77:rwx,g::rwx,m::rwx,o::rwx", parent);
        string clone = Path.Combine(parent, "clone");
        using CancellationTokenSource done = new();
        Task<string[]> watching = Task.Run(() => Watch(clone, done.Token));

        Cloner.Clone(source, clone, new CloneOptions { Workers = 2 });

        done.Cancel();
        Assert.Empty(watching.GetAwaiter().GetResult());
        Assert.Empty(Watch(clone, done.Token));
    }

    /// <summary>Looks at all entries over and over, until told to stop, and tells which grant too much.</summary>
    private static string[] Watch(string clone, CancellationToken done)
    {
        HashSet<string> wrong = [];
        do
        {
            for (int i = 0; i < Files; i++)
            {
                if (Sys.Stat($"{clone}/{i}", follow: false, out Statx status).Failed)
                {
                    continue;
                }

                // The mode's group bits are the mask of an ACL: where they are clear, no ACL grants anything.
                bool open = (status.Mode & 0x3F) != 0;
                bool strange = (status.Mode & (Sys.ModeSetUid | Sys.ModeSetGid)) != 0 &&
                    (status.Uid != Owner || status.Gid != Owner);
                if (open || strange)
                {
                    wrong.Add($"{i}: {status.Permissions:x} {status.Uid}:{status.Gid}");
                }
            }
        }
        while (!done.IsCancellationRequested);
        return [.. wrong];
    }
}
