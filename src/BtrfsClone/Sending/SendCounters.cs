namespace BtrfsClone.Sending;

/// <summary>Running totals of a stream. Lengths are in bytes.</summary>
public sealed class SendCounters
{
    /// <summary>Regular files, not counting additional links to them.</summary>
    public long Files { get; internal set; }

    /// <summary>Directories, including the given ones.</summary>
    public long Directories { get; internal set; }

    /// <summary>Symbolic links.</summary>
    public long SymbolicLinks { get; internal set; }

    /// <summary>Additional hard links to files in the stream.</summary>
    public long HardLinks { get; internal set; }

    /// <summary>FIFOs, sockets and devices.</summary>
    public long SpecialFiles { get; internal set; }

    /// <summary>The sum of the sizes of the regular files.</summary>
    public long Length { get; internal set; }

    /// <summary>Bytes that are not in the stream because they are shared with data that is.</summary>
    public long SharedLength { get; internal set; }

    /// <summary>Bytes of the files that are in the stream in compressed form, as stored on disk.</summary>
    public long EncodedLength { get; internal set; }

    /// <summary>The length of the stream.</summary>
    public long StreamLength { get; internal set; }

    /// <summary>Entries that failed.</summary>
    public long Failed { get; internal set; }

    internal SendCounters Copy() => (SendCounters)MemberwiseClone();

    internal SendResult Since(SendCounters begin, string path, string name, TimeSpan elapsed) => new()
    {
        Path = path,
        Subvolume = name,
        Files = Files - begin.Files,
        Directories = Directories - begin.Directories,
        SymbolicLinks = SymbolicLinks - begin.SymbolicLinks,
        HardLinks = HardLinks - begin.HardLinks,
        SpecialFiles = SpecialFiles - begin.SpecialFiles,
        Length = Length - begin.Length,
        SharedLength = SharedLength - begin.SharedLength,
        EncodedLength = EncodedLength - begin.EncodedLength,
        StreamLength = StreamLength - begin.StreamLength,
        Failed = Failed - begin.Failed,
        Elapsed = elapsed,
    };
}
