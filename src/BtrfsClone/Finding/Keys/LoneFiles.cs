using System.Runtime.InteropServices;

namespace BtrfsClone.Finding;

/// <summary>
/// Finds files that equal no other one as a whole, before much of them is read: by their sizes, and then by their beginnings.
/// </summary>
/// <param name="files">The files that are searched.</param>
/// <param name="blockSize">The block size in bytes.</param>
/// <param name="context">The search.</param>
internal sealed class LoneFiles(FileTable files, int blockSize, FindContext context)
{
    private const int ProbeBytes = 16 << 10;

    // Reading all of a shorter file takes as long as reading its beginning.
    private const int LeastProbed = 4 * ProbeBytes;

    private const int Batch = 4096;

    private readonly List<ProbedFile> _batch = [];
    private readonly List<KeyPart> _parts = [];
    private ulong[] _keys = [];

    /// <summary>Finds them.</summary>
    /// <param name="content">Reads the beginnings; null if files are not read at all.</param>
    public FileMarks Find(IBlockKeys? content)
    {
        FileMarks lone = new();
        using var sized = new Sorter<ProbedFile>(context.Memory);
        for (int file = 0; file < files.Count; file++)
        {
            sized.Add(new ProbedFile(files[file].Size, 0, file));
        }

        using var probed = new Sorter<ProbedFile>(context.Memory);
        LikeFiles.Part(sized, lone, file =>
        {
            if (content is not null && file.Size >= LeastProbed)
            {
                _batch.Add(file);
                if (_batch.Count == Batch)
                {
                    Probe(content, probed, lone);
                }
            }
        });
        if (content is not null)
        {
            Probe(content, probed, lone);
            LikeFiles.Part(probed, lone, _ => { });
        }

        return lone;
    }

    private void Probe(IBlockKeys content, Sorter<ProbedFile> probed, FileMarks lone)
    {
        if (_batch.Count == 0)
        {
            return;
        }

        int blocks = Math.Max(ProbeBytes / blockSize, 1);
        _parts.Clear();
        foreach (ProbedFile file in _batch)
        {
            _parts.Add(new KeyPart { File = file.File, Blocks = blocks });
        }

        _keys = _keys.Length < _batch.Count * blocks ? new ulong[_batch.Count * blocks] : _keys;
        content.Read(CollectionsMarshal.AsSpan(_parts), _keys.AsSpan(0, _batch.Count * blocks));
        for (int i = 0; i < _batch.Count; i++)
        {
            ReadOnlySpan<ulong> own = _keys.AsSpan(i * blocks, blocks);
            if (own.Contains(IBlockKeys.Unknown))
            {
                lone.Add(_batch[i].File);
                continue;
            }

            ulong hash = 0;
            foreach (ulong key in own)
            {
                hash = Key.Add(hash, key);
            }

            probed.Add(_batch[i] with { Probe = hash });
        }

        _batch.Clear();
        context.Pump();
    }
}
