using BtrfsClone.Extents;

namespace BtrfsClone.PowerShell;

/// <summary>Reads the extents of items: files, and the files in directories.</summary>
/// <param name="reader">Reads one file after the other.</param>
/// <param name="directories">Whether the files in a directory that was named explicitly are read.</param>
/// <param name="recurse">Whether the files in all directories and their subdirectories are read.</param>
/// <param name="oneFileSystem">Whether other filesystems are skipped.</param>
/// <param name="onPassedOver">Receives what is not entered; see <see cref="SessionEvents.OnPassedOver"/>.</param>
/// <param name="tell">Receives the source of each file's extents, and why it is used.</param>
internal sealed class ExtentItems(
    ExtentReader reader, bool directories, bool recurse, bool oneFileSystem, Action<string, string>? onPassedOver, Action<string> tell)
    : IDisposable
{
    /// <summary>Reads one item.</summary>
    /// <param name="item">The item.</param>
    /// <param name="onFailure">Receives failures below a directory.</param>
    /// <param name="cancellation">Cancels reading.</param>
    /// <returns>The extents, read lazily.</returns>
    /// <exception cref="BtrfsException">
    /// The item cannot be read; <see cref="BtrfsError.NotRegularFile"/>: it is of a type that is not read.
    /// </exception>
    public IEnumerable<BtrfsExtent> Read(ItemPath item, Action<BtrfsException> onFailure, CancellationToken cancellation)
    {
        string path = item.Target;
        try
        {
            reader.Open(path, cancellation);
        }
        catch (BtrfsException failure) when (
            failure.Error == BtrfsError.NotRegularFile && (recurse || (directories && item.IsNamed)))
        {
            return ReadDirectory(path, onFailure, cancellation);
        }

        Tell();
        return reader.ReadRest();
    }

    /// <inheritdoc/>
    public void Dispose() => reader.Dispose();

    private IEnumerable<BtrfsExtent> ReadDirectory(
        string path, Action<BtrfsException> onFailure, CancellationToken cancellation)
    {
        using ExtentWalk walk = new(path, reader, recurse, oneFileSystem, onPassedOver);
        while (walk.Next(cancellation, out BtrfsException? failure))
        {
            if (failure is null)
            {
                Tell();
            }

            FileExtent extent = default;
            bool any = failure is null && TryRead(out extent, out failure);
            for (; any; any = TryRead(out extent, out failure))
            {
                yield return new BtrfsExtent(reader.Path, extent);
            }

            if (failure is not null)
            {
                onFailure(failure);
            }
        }
    }

    private void Tell() => tell($"'{PathText.Printable(reader.Path)}' is read {(
        reader.Source == ExtentSource.Tree ? "from btrfs's trees"
        : reader.IsTreeRefused ? "by FIEMAP, since btrfs's trees need CAP_SYS_ADMIN; what only these tell is empty"
        : "by FIEMAP; what only btrfs's trees tell is empty")}.");

    private bool TryRead(out FileExtent extent, out BtrfsException? failure)
    {
        try
        {
            failure = null;
            return reader.Read(out extent);
        }
        catch (BtrfsException e)
        {
            (extent, failure) = (default, e);
            return false;
        }
    }
}
