namespace BtrfsClone.Finding;

/// <summary>What is known of a file before all of it is read.</summary>
/// <param name="Size">In bytes.</param>
/// <param name="Probe">The hash of its beginning, or 0 if that was not read.</param>
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

/// <summary>Finds files that cannot equal any other one, by their sizes and their beginnings.</summary>
internal static class LikeFiles
{
    /// <summary>Marks files with a unique size.</summary>
    /// <returns>Their positions in the order in which they were read.</returns>
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

    /// <summary>Marks files that have no equal, and passes all others on.</summary>
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
