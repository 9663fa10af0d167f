using BtrfsClone.Interop;

namespace BtrfsClone.Finding;

/// <summary>
/// Creates result objects from groups. A group with a file that was changed or deleted since it was collected is dropped.
/// </summary>
internal sealed class GroupWriter(
    SearchTables tables, GroupList groups, PlacePaths paths, FreshFiles fresh, FindContext context)
{
    /// <summary>Creates the object of a group; null if the group is stale.</summary>
    public BtrfsDuplicate? Write(in RankedGroup ranked)
    {
        GroupHead head = groups.Head(ranked.Group);
        GroupPart first = groups.Part(head.FirstPart);
        var places = new DuplicatePlace[head.Parts + 1];
        bool areFresh = fresh.AreAll();
        DuplicatePlace? kept = PlaceOf(first.SourceFile, first.SourceBlock, areFresh);
        int count = 0;
        if (kept is not null)
        {
            places[count++] = kept;
            for (int i = 0; i < head.Parts; i++)
            {
                GroupPart part = groups.Part(head.FirstPart + i);
                if (PlaceOf(part.File, part.Block, areFresh) is DuplicatePlace place)
                {
                    places[count++] = place;
                }
            }
        }

        if (count <= head.Parts)
        {
            context.Progress.Stale++;
            return null;
        }

        string kind = head.IsFile ? nameof(DuplicateKind.File) : nameof(DuplicateKind.Range);
        return new BtrfsDuplicate(kind, head.Length, head.Copies, ranked.Gain, places);
    }

    private DuplicatePlace? PlaceOf(int number, long block, bool isFresh)
    {
        FileEntry file = tables.Files[number];
        byte[]? path = paths.Of(file);
        if (path is null || !(isFresh || fresh.IsFresh(file, path)))
        {
            return null;
        }

        return new DuplicatePlace(Utf8Z.ToText(path), block * tables.BlockSize);
    }
}
