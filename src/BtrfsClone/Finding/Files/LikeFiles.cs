namespace BtrfsClone.Finding;

/// <summary>A file by what is known of it before it is read as a whole.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="Probe">The hash of its beginning, or 0 where that was not read.</param>
/// <param name="File">Its number.</param>
internal readonly record struct ProbedFile(long Size, ulong Probe, int File) : IComparable<ProbedFile>
{
    public int CompareTo(ProbedFile other)
    {
        int order = Size.CompareTo(other.Size);
        order = order != 0 ? order : Probe.CompareTo(other.Probe);
        return order != 0 ? order : File.CompareTo(other.File);
    }
}

/// <summary>Tells files that may be like another one from those that are not, by their sizes and their beginnings.</summary>
internal static class LikeFiles
{
    /// <summary>Marks files with a size that no other one has.</summary>
    /// <returns>Their places in the order in which they were read.</returns>
    public static FileMarks LoneBySize(DistinctFiles files, WorkingMemory memory)
    {
        FileMarks lone = new();
        using var sized = new Sorter<ProbedFile>(memory);
        for (int place = 0; files.Next(out WantedFile file); place++)
        {
            sized.Add(new ProbedFile(file.Size, 0, place));
        }

        Part(sized, lone, _ => { });
        return lone;
    }

    /// <summary>Marks files of which there is one alone, and hands on all others.</summary>
    public static void Part(Sorter<ProbedFile> found, FileMarks lone, Action<ProbedFile> others)
    {
        using SortedReader<ProbedFile> sorted = found.Read();
        bool isLikeLast = false;
        for (bool any = sorted.Next(out ProbedFile file); any;)
        {
            any = sorted.Next(out ProbedFile next);
            bool isLikeNext = any && (next.Size, next.Probe) == (file.Size, file.Probe);
            if (isLikeLast || isLikeNext)
            {
                others(file);
            }
            else
            {
                lone.Add(file.File);
            }

            (file, isLikeLast) = (next, isLikeNext);
        }
    }
}
