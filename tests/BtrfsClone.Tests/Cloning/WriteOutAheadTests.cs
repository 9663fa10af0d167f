using System.Runtime.InteropServices;
using BtrfsClone.Cloning;
using BtrfsClone.Interop;
using BtrfsClone.Tests.Support;
using BtrfsClone.Walking;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Cloning;

/// <summary>Dirty files are on their way to the device before their turn to be cloned comes.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed unsafe class WriteOutAheadTests(ScratchBtrfs btrfs)
{
    private const int Files = 20;

    private readonly string _folder = btrfs.NewFolder();

    [BtrfsFact(Needs = BusyFiles.Tools)]
    public void Where_the_first_file_is_dirty_those_after_it_are_written_out()
    {
        Write([.. Names()]);
        Assert.Equal(Files, BusyFiles.Among(_folder).Length);

        MeetFirst();

        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Thread.Sleep(50);
                return BusyFiles.Among(_folder).Length == 0;
            },
            TimeSpan.FromSeconds(10)));
    }

    [BtrfsFact(Needs = "sync " + BusyFiles.Tools)]
    public void Where_the_first_file_is_clean_those_after_it_are_left_alone()
    {
        string[] names = Names();
        Write(names[0]);
        Shell.Check("sync", "--file-system", _folder);
        Write(names[1..]);

        MeetFirst();

        Thread.Sleep(500);
        Assert.Equal(Files - 1, BusyFiles.Among(_folder).Length);
    }

    /// <summary>In the order of their making, which is that of a listing.</summary>
    private static string[] Names() => [.. Enumerable.Range(0, Files).Select(i => $"file{i}")];

    private void Write(params string[] names)
    {
        foreach (string name in names)
        {
            using SafeFileHandle file = Native.CreateFile(Path.Combine(_folder, name));
            RandomAccess.Write(file, new byte[50_000], 0);
        }
    }

    private void MeetFirst()
    {
        byte* buffer = (byte*)NativeMemory.Alloc(DirectoryBatch.BufferSize);
        Assert.True(OpenDirectory.At(_folder, out Descriptor directory).Succeeded);
        DirectoryBatch batch = new(buffer, (int)Sys.ReadDirectory(directory, buffer, DirectoryBatch.BufferSize).Value);
        DirectoryBatch.Enumerator entries = batch.GetEnumerator();
        while (entries.MoveNext() && entries.Current.Type != DirectoryEntry.TypeRegular)
        {
        }

        Assert.Equal("file0"u8.ToArray(), entries.Current.Name.ToArray());
        new WriteOutAhead().Before(directory, entries);
        Sys.Close(directory);
        NativeMemory.Free(buffer);
    }
}
