using BtrfsClone.Benchmarks.Scenarios;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Benchmarks.Trees;

/// <summary>Trees of plain files.</summary>
internal static class FileTrees
{
    /// <summary>At most 2 KiB (the default of max_inline) are stored inline, so that a quarter of the files are.</summary>
    private const int LongestSmall = 8192;

    /// <summary>Small files, spread evenly over directories.</summary>
    public static string Small(Site site, string name, int directories, int files)
    {
        Filler filler = new(1);
        files = site.Scaled(files);
        for (int d = 0; d < directories; d++)
        {
            string folder = Directory.CreateDirectory($"{site.At(name)}/directory{d}").FullName;
            for (int f = d; f < files; f += directories)
            {
                filler.MakeFile($"{folder}/file{f}", 0, LongestSmall);
            }
        }

        return $"{Site.Show(files)} files of up to {LongestSmall / 1024} KiB, directories: {directories}";
    }

    /// <summary>Numbered files of 1 KiB in one directory.</summary>
    public static string Numbered(Site site, int files)
    {
        Filler filler = new(2);
        string folder = Directory.CreateDirectory(site.At(Site.Source)).FullName;
        files = site.Scaled(files);
        for (int f = 1; f <= files; f++)
        {
            filler.MakeFile($"{folder}/file{f}", 1024, 1024);
        }

        return $"{Site.Show(files)} files of 1 KiB";
    }

    /// <summary>Larger files, for a source that is cloned before it is written out.</summary>
    public static string Dirty(Site site, int files)
    {
        Filler filler = new(3);
        files = site.Scaled(files);
        for (int f = 0; f < files; f++)
        {
            string folder = $"{site.At(Site.Source)}/directory{f % 20}";
            Directory.CreateDirectory(folder);
            filler.MakeFile($"{folder}/file{f}", 4096, 256 << 10);
        }

        return $"{Site.Show(files)} files of 4 to 256 KiB, just written";
    }

    /// <summary>Two directories of equal files that share nothing.</summary>
    public static string Twice(Site site, int files)
    {
        files = site.Scaled(files);
        foreach (string half in (string[])[Site.First, Site.Second])
        {
            // The same seed: the same files.
            Filler filler = new(9);
            string folder = Directory.CreateDirectory($"{site.At(Site.Source)}/{half}").FullName;
            for (int f = 0; f < files; f++)
            {
                filler.MakeFile($"{folder}/file{f}", 4096, 1 << 20);
            }
        }

        return $"{Site.Show(files)} files of up to 1 MiB, and as many equal ones";
    }

    /// <summary>A chain of directories, each in the one before, with a file in each.</summary>
    public static string Chain(Site site, int depth)
    {
        const int PathMax = 4096;
        Filler filler = new(4);
        depth = site.Scaled(depth);
        string path = site.At(Site.Source);
        if (path.Length + (2 * depth) + 4 > PathMax)
        {
            throw new BenchException($"{site.Root} is too long a path for a chain that cp can clone: take a shorter --dir.");
        }

        for (int i = 0; i < depth; i++)
        {
            Directory.CreateDirectory(path);
            filler.MakeFile($"{path}/f", 100, 100);
            path += "/d";
        }

        return $"{Site.Show(depth)} directories, each in the one before, a file in each";
    }

    /// <summary>Files with many names each, spread over directories.</summary>
    public static string Linked(Site site, int files, int names)
    {
        const int Directories = 50;
        Filler filler = new(5);
        files = site.Scaled(files);
        string[] folders = [.. Enumerable.Range(0, Directories).Select(d => $"{site.At(Site.Source)}/directory{d}")];
        Array.ForEach(folders, folder => Directory.CreateDirectory(folder));
        for (int f = 0; f < files; f++)
        {
            string first = $"{folders[f % Directories]}/file{f}";
            filler.MakeFile(first, 0, LongestSmall);
            for (int n = 1; n < names; n++)
            {
                Native.Link(first, $"{folders[(f + (n * 7)) % Directories]}/link{f}.{n}");
            }
        }

        return $"{Site.Show(files)} files with {names} names each";
    }

    /// <summary>One file of one block.</summary>
    public static string Single(Site site)
    {
        new Filler(6).MakeFile(site.At(Site.Source), 4096, 4096);
        return "one file of 4 KiB";
    }
}
