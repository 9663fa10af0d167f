using System.Globalization;
using System.Text;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Cloning;

/// <summary>
/// Keeps an existing entry under a second name before a clone is renamed over its first: as an additional link, so that the first
/// name is never missing and nothing is copied.
/// </summary>
internal static unsafe class Backup
{
    private const int BufferSize = 4096;

    /// <summary>Gives the entry its second name.</summary>
    /// <param name="directory">The directory that contains it.</param>
    /// <param name="name">Its name, null-terminated.</param>
    /// <param name="mode">How the second name is chosen; not <see cref="BackupMode.None"/>.</param>
    /// <param name="created">The entries that a backup must not replace.</param>
    public static Failure Keep(DirectoryPair directory, byte* name, BackupMode mode, CreatedEntries created) =>
        mode == BackupMode.Simple ? KeepSimple(directory, name, created) : KeepNumbered(directory.Destination, name);

    private static Failure KeepSimple(DirectoryPair directory, byte* name, CreatedEntries created)
    {
        byte[] backup = [.. Text(name), (byte)'~', 0];
        Span<byte> temporary = stackalloc byte[TemporaryName.MaxSize];
        TemporaryName.Write(temporary);
        fixed (byte* to = backup, by = temporary)
        {
            // Entries that the invocation clones under that name must not be mistaken for an old backup or become one.
            bool isTaken = Sys.StatEntry(directory.Source, to, out _).Succeeded ||
                (Sys.StatEntry(directory.Destination, to, out Statx old).Succeeded && created.Contains(old));
            if (isTaken)
            {
                return Failure.Refused(ErrorMeaning.BackupNameTaken);
            }

            CallResult result = Sys.Link(directory.Destination, name, directory.Destination, by);
            if (result.Failed)
            {
                return Failure.Destination(SystemCall.LinkAt, result);
            }

            result = Sys.Rename(directory.Destination, by, directory.Destination, to);

            // Renaming one of two links to a file over the other leaves both.
            _ = Sys.Unlink(directory.Destination, by);
            return result.Failed ? Failure.Destination(SystemCall.RenameAt, result) : default;
        }
    }

    private static Failure KeepNumbered(Descriptor directory, byte* name)
    {
        CallResult result;
        long number = 0;
        do
        {
            Failure failure = Highest(directory, Text(name), ref number);
            if (failure.Failed)
            {
                return failure;
            }

            number++;
            byte[] backup = [.. Text(name), .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $".~{number}~")), 0];
            fixed (byte* to = backup)
            {
                result = Sys.Link(directory, name, directory, to);
            }
        }
        while (result.Is(Errno.EEXIST));
        return result.Failed ? Failure.Destination(SystemCall.LinkAt, result) : default;
    }

    /// <summary>The highest number of an existing backup, if it is higher than the given one.</summary>
    private static Failure Highest(Descriptor directory, ReadOnlySpan<byte> name, ref long number)
    {
        fixed (byte* buffer = new byte[BufferSize])
        {
            var listing = new DirectoryListing(directory, buffer, BufferSize);
            while (listing.Next(out DirectoryBatch.Entry entry))
            {
                ReadOnlySpan<byte> found = entry.Name;
                if (found.Length > name.Length + 3 && found.StartsWith(name) && found[name.Length..].StartsWith(".~"u8) &&
                    found[^1] == '~' && long.TryParse(
                        found[(name.Length + 2)..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long one))
                {
                    number = Math.Max(number, one);
                }
            }

            return listing.Failed ? Failure.Destination(listing.Call, listing.Result) : default;
        }
    }

    private static ReadOnlySpan<byte> Text(byte* name) => new(name, Utf8Z.Length(name));
}
