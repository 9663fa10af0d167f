using System.Buffers.Binary;
using BtrfsClone.Benchmarks.Scenarios;

namespace BtrfsClone.Benchmarks.Trees;

/// <summary>Trees in which some data is stored more than once.</summary>
internal static class DuplicateTrees
{
    private const int Block = 4096;
    private const int Longest = 3 << 20;
    private const int FilesInFolder = 500;

    /// <summary>
    /// Files of 45 KB on average: a quarter are copies of others, a tenth hold another one's data after blocks of their own.
    /// </summary>
    public static string Mixed(Site site, int files)
    {
        Random random = new(11);
        byte[] noise = new byte[Longest + Block];
        random.NextBytes(noise);
        byte[] content = new byte[Longest + (4 * Block)];
        List<(long Id, int Length)> known = [];
        files = site.Scaled(files);
        long bytes = 0;
        for (int f = 0; f < files; f++)
        {
            string folder = $"{site.At(Site.Source)}/directory{f / FilesInFolder}";
            if (f % FilesInFolder == 0)
            {
                Directory.CreateDirectory(folder);
            }

            int length = 0;
            int kind = known.Count == 0 ? 99 : random.Next(100);
            if (kind < 35)
            {
                length = kind < 25 ? 0 : Fill(content, 0, f, random.Next(1, 4) * Block, noise);
                (long id, int otherLength) = known[random.Next(known.Count)];
                length += Fill(content, length, id, otherLength, noise);
            }
            else
            {
                known.Add((f, LengthOf(random)));
                length = Fill(content, 0, f, known[^1].Length, noise);
            }

            using FileStream file = File.Create($"{folder}/file{f}");
            file.Write(content, 0, length);
            bytes += length;
        }

        return $"{Site.Show(files)} files, {bytes / 1e9:N1} GB, a quarter of them copies";
    }

    /// <summary>Most files are short, and a few hold most of the data.</summary>
    private static int LengthOf(Random random) =>
        (int)Math.Min(500 + (9700 / Math.Pow(1 - random.NextDouble(), 1 / 1.2)), Longest);

    /// <summary>Fills in data of which each block is like no other one's. Returns its length.</summary>
    private static int Fill(byte[] content, int start, long id, int length, byte[] noise)
    {
        noise.AsSpan((int)(id % Block), length).CopyTo(content.AsSpan(start));
        for (int at = 0; at + sizeof(long) <= length; at += Block)
        {
            BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(start + at), (id << 16) + (at / Block));
        }

        return length;
    }
}
