using BtrfsClone.Benchmarks.Scenarios;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Benchmarks.Trees;

/// <summary>Files of many extents.</summary>
internal static class ExtentTrees
{
    /// <summary>Long files of random extents and holes.</summary>
    public static string Sparse(Site site, int files, long length, int extents)
    {
        Filler filler = new(7);
        string folder = Directory.CreateDirectory(site.At(Site.Source)).FullName;
        files = site.Scaled(files);
        for (int f = 0; f < files; f++)
        {
            using SafeFileHandle file = File.OpenHandle($"{folder}/file{f}", FileMode.CreateNew, FileAccess.Write);
            filler.WriteSparse(file, extents, length);
        }

        return $"{Site.Show(files)} files of {length / 1_000_000} MB, {extents} extents with holes between them in each";
    }

    /// <summary>One file of blocks that lie apart: an extent each.</summary>
    public static string Single(Site site, int extents)
    {
        const int Block = 4096;
        Filler filler = new(8);
        using SafeFileHandle file = File.OpenHandle(site.At(Site.Source), FileMode.CreateNew, FileAccess.Write);
        extents = site.Scaled(extents);
        for (int i = 0; i < extents; i++)
        {
            filler.Write(file, 2L * i * Block, Block);
        }

        return $"one file of {Site.Show(extents)} extents";
    }
}
