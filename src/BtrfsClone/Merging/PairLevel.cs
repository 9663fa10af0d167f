using BtrfsClone.Interop;

namespace BtrfsClone.Merging;

/// <summary>Two directories of the same relative name, and what is left to do in them.</summary>
internal sealed class PairLevel(string referencePath, string path)
{
    public string ReferencePath { get; } = referencePath;

    public string Path { get; } = path;

    public int Reference { get; set; } = -1;

    public int Directory { get; set; } = -1;

    public Statx ReferenceStatus;

    public Statx DirectoryStatus;

    /// <summary>The subdirectories of the part that was listed last, zero-terminated.</summary>
    public Queue<byte[]> Subdirectories { get; } = new();

    public bool Listed { get; set; }

    /// <summary>Where the listing goes on if the directory had to be closed in between.</summary>
    public long ListOffset { get; set; }

    public bool IsOpen => Directory >= 0;

    public string PathOf(bool inReference, ReadOnlySpan<byte> name)
    {
        string directory = inReference ? ReferencePath : Path;
        return directory.EndsWith('/') ? directory + Utf8Z.ToText(name) : $"{directory}/{Utf8Z.ToText(name)}";
    }

    public void Close()
    {
        if (Reference >= 0)
        {
            Sys.Close(Reference);
        }

        if (Directory >= 0)
        {
            Sys.Close(Directory);
        }

        Reference = Directory = -1;
    }
}
