using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones one entry that is not a directory: to a new name, or over an existing file in one step. Whatever was made
/// for an entry that failed is gone again.
/// </summary>
internal sealed unsafe class EntryCloner(CloneSession session)
{
    private readonly FileCloner _files = new(session);
    private readonly Metadata _metadata = new(session);
    private readonly HardLinkTable _links = new();

    /// <summary>Clones an entry whose name is on both sides as given, and counts it.</summary>
    public Fault Clone(
        WorkerBuffers buffers, DirectoryPair directory, byte* sourceName, byte* name, bool expectRegular)
    {
        Fault fault = SourceEntry.Open(buffers, directory, sourceName, expectRegular, out int source, out Statx status);
        return fault.Failed ? fault : Clone(buffers, directory, source, sourceName, status, name);
    }

    /// <summary>Clones what was found, and lets go of it.</summary>
    public Fault Clone(
        WorkerBuffers buffers, DirectoryPair directory, int source, byte* sourceName, in Statx status, byte* name)
    {
        try
        {
            fixed (Statx* pointer = &status)
            {
                return status.LinkCount > 1
                    ? CloneLinked(buffers, directory, source, sourceName, status, name)
                    : Place(new Entry(buffers, directory, source, sourceName, pointer, null), name);
            }
        }
        finally
        {
            if (source >= 0)
            {
                buffers.Closing.Add(source);
            }
        }
    }

    /// <summary>Clones a file whose name is taken.</summary>
    public Fault Replace(WorkerBuffers buffers, DirectoryPair directory, in FileClone file)
    {
        fixed (Statx* status = &file.Status)
        {
            return Replace(new Entry(buffers, directory, file.Source, file.Name, status, null), file.Name);
        }
    }

    private Fault CloneLinked(
        WorkerBuffers buffers, DirectoryPair directory, int source, byte* sourceName, in Statx status, byte* name)
    {
        HardLink link = _links.Meet(status);
        lock (link)
        {
            fixed (Statx* pointer = &status)
            {
                if (link.Directory is not null)
                {
                    Fault linked = Place(new Entry(buffers, directory, source, sourceName, pointer, link), name);
                    if (linked is not { AtSource: false, Call: "linkat", Errno: Errno.ENOENT })
                    {
                        return linked;
                    }

                    // Somebody removed or replaced the first clone: this one becomes the first.
                    link.Forget();
                }

                Fault fault = Place(new Entry(buffers, directory, source, sourceName, pointer, null), name);
                if (!fault.Failed)
                {
                    link.IsAt(directory, new ReadOnlySpan<byte>(name, Utf8Z.Length(name) + 1), buffers.Made.Inode);
                }

                return fault;
            }
        }
    }

    private Fault Place(in Entry entry, byte* name)
    {
        Fault fault = Make(entry, name);
        if (fault is { Errno: Errno.EEXIST, AtSource: false })
        {
            fault = Replace(entry, name);
        }

        if (!fault.Failed)
        {
            Count(entry);
        }

        return fault;
    }

    /// <summary>Clones under a temporary name beside the existing file and renames it over that.</summary>
    private Fault Replace(in Entry entry, byte* name)
    {
        int result = Sys.StatEntry(entry.Directory.Destination, name, out Statx old);
        if (result < 0)
        {
            return Fault.Destination("statx", result);
        }

        if (old.IsSameFileAs(*entry.Status))
        {
            return Fault.Refused(BtrfsError.SameFile);
        }

        if (Preconditions.WhyNotReplaceable(old, session.Options) is { } reason)
        {
            return Fault.Refused(reason);
        }

        if (entry.Directory.IsAppendOnly)
        {
            // What is made under a temporary name could neither be renamed nor removed.
            return Fault.Destination("renameat", -Errno.EPERM);
        }

        byte* temporary = entry.Buffers.NewTemporaryName();
        Fault fault = Make(entry, temporary);
        if (fault.Failed)
        {
            return fault;
        }

        // Renaming one link of a file over another link of it does nothing and leaves both: the name is right already.
        int directory = entry.Directory.Destination;
        bool alreadyThere = entry.Link is not null && old.LinkCount > 1 &&
            Sys.StatEntry(directory, temporary, out Statx made) == 0 && made.IsSameFileAs(old);
        result = Settle(directory, temporary, name, alreadyThere);
        if (result == -Errno.EPERM && ThawedEntry.TryThaw(directory, temporary, out ThawedEntry thawed))
        {
            result = Settle(directory, temporary, name, alreadyThere);
            int refrozen = thawed.Refreeze();
            result = result < 0 ? result : refrozen;
        }

        return result < 0 ? Fault.Destination("renameat", result) : default;
    }

    /// <summary>Lets a temporary name take the other's place, or removes it where that fails or is not needed.</summary>
    private static int Settle(int directory, byte* temporary, byte* name, bool alreadyThere)
    {
        int result = alreadyThere ? 0 : Sys.Rename(directory, temporary, directory, name);
        if (alreadyThere || result < 0)
        {
            int removed = Sys.Unlink(directory, temporary);
            result = result < 0 ? result : removed;
        }

        return result;
    }

    private Fault Make(in Entry entry, byte* name)
    {
        if (entry.Link is not null)
        {
            return MakeLink(entry, name);
        }

        return entry.Status->FileType switch
        {
            Sys.ModeRegular => _files.Make(entry.Buffers, entry.Directory, entry.Source, *entry.Status, name),
            Sys.ModeSymlink => MakeSymlink(entry, name),
            _ => MakeNode(entry, name),
        };
    }

    private static Fault MakeLink(in Entry entry, byte* name)
    {
        DirectoryPair first = entry.Link!.Directory!;
        int destination = entry.Directory.Destination;
        int directory = first == entry.Directory ? destination : entry.Buffers.LinkDirectories.Open(first);
        if (directory < 0)
        {
            return Fault.Destination("linkat", directory);
        }

        fixed (byte* firstName = entry.Link.Name)
        {
            int result = Sys.Link(directory, firstName, destination, name);
            if (result == -Errno.EPERM)
            {
                result = LinkFrozen(directory, firstName, destination, name);
            }

            if (result >= 0 && (result = Sys.StatEntry(destination, name, out Statx made)) >= 0 &&
                made.Inode != entry.Link.Inode)
            {
                // Somebody has replaced the first clone.
                _ = Sys.Unlink(destination, name);
                result = -Errno.ENOENT;
            }

            return result < 0 ? Fault.Destination("linkat", result) : default;
        }
    }

    /// <summary>
    /// An immutable or append-only file takes no further link: its clone gets the flags back once it has this one.
    /// </summary>
    private static int LinkFrozen(int firstDirectory, byte* firstName, int directory, byte* name)
    {
        if (!ThawedEntry.TryThaw(firstDirectory, firstName, out ThawedEntry first))
        {
            return -Errno.EPERM;
        }

        int result = Sys.Link(firstDirectory, firstName, directory, name);
        int refrozen = first.Refreeze();
        return result < 0 ? result : refrozen;
    }

    private Fault MakeSymlink(in Entry entry, byte* name)
    {
        byte* target = entry.Buffers.LinkTarget;
        int length = Sys.ReadLink(entry.Directory.Source, entry.SourceName, target, Sys.PathMax);
        if (length < 0)
        {
            return Fault.Source("readlinkat", length);
        }

        target[length] = 0;
        int result = Sys.MakeSymlink(target, entry.Directory.Destination, name);
        return result < 0 ? Fault.Destination("symlinkat", result) : Finish(entry, name);
    }

    private Fault MakeNode(in Entry entry, byte* name)
    {
        Statx* status = entry.Status;
        int result = Sys.MakeNode(
            entry.Directory.Destination, name, status->FileType | (status->Permissions & 0x180u),
            status->SpecialDeviceMajor, status->SpecialDeviceMinor);
        return result < 0 ? Fault.Destination("mknodat", result) : Finish(entry, name);
    }

    private Fault Finish(in Entry entry, byte* name)
    {
        Fault fault = _metadata.ApplyToEntry(entry.Buffers, entry.Directory, entry.SourceName, name, *entry.Status);
        if (!fault.Failed && entry.Status->LinkCount > 1 && entry.Directory.IsPrivate)
        {
            int result = Sys.StatEntry(entry.Directory.Destination, name, out entry.Buffers.Made);
            fault = result < 0 ? Fault.Destination("statx", result) : fault;
        }

        if (fault.Failed)
        {
            _ = Sys.Unlink(entry.Directory.Destination, name);
        }

        return fault;
    }

    private void Count(in Entry entry)
    {
        if (entry.Link is not null)
        {
            session.Counters.AddHardLink();
        }
        else if (entry.Status->FileType == Sys.ModeRegular)
        {
            session.Counters.AddFile((long)entry.Status->Size);
        }
        else if (entry.Status->FileType == Sys.ModeSymlink)
        {
            session.Counters.AddSymbolicLink();
        }
        else
        {
            session.Counters.AddSpecialFile();
        }
    }

    /// <summary>One entry on its way: what is cloned, or which earlier clone it is a further link to.</summary>
    private readonly struct Entry(
        WorkerBuffers buffers, DirectoryPair directory, int source, byte* sourceName, Statx* status, HardLink? link)
    {
        public readonly WorkerBuffers Buffers = buffers;
        public readonly DirectoryPair Directory = directory;
        public readonly int Source = source;
        public readonly byte* SourceName = sourceName;
        public readonly Statx* Status = status;
        public readonly HardLink? Link = link;
    }
}
