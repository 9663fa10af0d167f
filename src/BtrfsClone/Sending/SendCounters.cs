namespace BtrfsClone.Sending;

/// <summary>Running totals of a stream. Lengths are bytes.</summary>
public sealed class SendCounters
{
    /// <summary>Regular files, not counting further links to them.</summary>
    public long Files { get; internal set; }

    /// <summary>Directories, the ones that were given included.</summary>
    public long Directories { get; internal set; }

    /// <summary>Symbolic links.</summary>
    public long SymbolicLinks { get; internal set; }

    /// <summary>Further hard links to what the stream holds.</summary>
    public long HardLinks { get; internal set; }

    /// <summary>FIFOs, sockets and devices.</summary>
    public long SpecialFiles { get; internal set; }

    /// <summary>Bytes that the regular files hold, by their sizes.</summary>
    public long Length { get; internal set; }

    /// <summary>Bytes that the stream does not hold, since they are shared with what it holds.</summary>
    public long SharedLength { get; internal set; }

    /// <summary>Bytes of the files that the stream holds compressed, as they are stored.</summary>
    public long EncodedLength { get; internal set; }

    /// <summary>Bytes of the stream.</summary>
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
