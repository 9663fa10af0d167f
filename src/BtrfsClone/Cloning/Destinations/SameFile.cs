using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Detects whether a clone would replace its own source.</summary>
internal static unsafe class SameFile
{
    // The maximum that the kernel follows (MAXSYMLINKS in include/linux/namei.h).
    private const int MostLinks = 40;
    private const int NameSize = 256; // NAME_MAX of nearly every filesystem (linux/limits.h), with the terminating null.

    /// <summary>
    /// Whether an existing entry is the source itself, or an entry that the source, a symbolic link, leads to, or a symbolic link
    /// to the source. Each of the two is named in an open directory, and known by its own status.
    /// </summary>
    public static bool Is(
        Descriptor sourceDirectory, byte* sourceName, in Statx source, Descriptor directory, byte* name, in Statx existing)
    {
        bool isLink = source.FileType == Sys.ModeSymlink;
        return existing.IsSameFileAs(source) ||
            (isLink && LeadsTo(sourceDirectory, sourceName, existing)) ||
            (!isLink && existing.FileType == Sys.ModeSymlink && LeadsTo(directory, name, source));
    }

    /// <summary>As above; the source is given by path.</summary>
    public static bool Is(string sourcePath, in Statx source, Descriptor directory, byte* name, in Statx existing)
    {
        // If it cannot be opened, it leads nowhere.
        _ = Sys.Open(
            CloneDestination.ParentOf(sourcePath), OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor parent);
        using DescriptorScope closing = new(parent);
        fixed (byte* sourceName = Utf8Z.From(CloneDestination.NameOf(sourcePath)))
        {
            return Is(parent, sourceName, source, directory, name, existing);
        }
    }

    /// <summary>As above; the two are named in the directories of a pair. A snapshot represents its live source.</summary>
    public static bool Is(DirectoryPair pair, byte* sourceName, in Statx source, byte* name, in Statx existing)
    {
        if (!pair.InSnapshot)
        {
            return Is(pair.Source, sourceName, source, pair.Destination, name, existing);
        }

        // A snapshot preserves inode numbers; with different numbers, they can only be the same through a link.
        if (existing.Inode != source.Inode && existing.FileType != Sys.ModeSymlink && source.FileType != Sys.ModeSymlink)
        {
            return false;
        }

        CallResult opened = DirectoryByNames.OpenSource(pair, out Descriptor live);
        using DescriptorScope closing = new(live);
        return opened.Succeeded && Sys.StatEntry(live, sourceName, out Statx current).Succeeded &&
            Is(live, sourceName, current, pair.Destination, name, existing);
    }

    /// <summary>
    /// Whether a link leads to an entry, possibly through others. Each link on the way is compared too: it may be the entry.
    /// </summary>
    private static bool LeadsTo(Descriptor directory, byte* link, in Statx entry)
    {
        byte* name = stackalloc byte[NameSize];
        OwnedDescriptor? opened = null;
        try
        {
            for (int links = 0; links < MostLinks; links++)
            {
                OwnedDescriptor parent = new(OpenParent(
                    opened?.Descriptor ?? directory, links == 0 ? link : name, new Span<byte>(name, NameSize)));
                opened?.Dispose();
                opened = parent;
                if (opened.IsInvalid || Sys.StatEntry(opened.Descriptor, name, out Statx status).Failed)
                {
                    return false;
                }

                if (status.IsSameFileAs(entry))
                {
                    return true;
                }
            }

            return false;
        }
        finally
        {
            opened?.Dispose();
        }
    }

    /// <summary>Opens the directory that a link leads into, and returns the name in it. Returns none if it is not a link.</summary>
    private static Descriptor OpenParent(Descriptor directory, byte* link, Span<byte> name)
    {
        byte* text = stackalloc byte[Sys.PathMax + 1];
        CallResult length = Sys.ReadLink(directory, link, text, Sys.PathMax);
        ReadOnlySpan<byte> path = new ReadOnlySpan<byte>(text, (int)length.Value).TrimEnd((byte)'/');
        int nameStart = path.LastIndexOf((byte)'/') + 1;
        ReadOnlySpan<byte> last = path[nameStart..];
        if (last.IsEmpty || last.Length >= name.Length)
        {
            return Descriptor.None;
        }

        last.CopyTo(name);
        name[last.Length] = 0;
        if (nameStart == 0)
        {
            text[nameStart++] = (byte)'.';
        }

        text[nameStart] = 0;
        _ = Sys.OpenAt(directory, text, OpenFlags.PathOnly | OpenFlags.Directory, out Descriptor parent);
        return parent;
    }
}
