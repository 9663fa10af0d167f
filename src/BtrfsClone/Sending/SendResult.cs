namespace BtrfsClone.Sending;

/// <summary>What one directory came to in a stream. Lengths are bytes.</summary>
public sealed class SendResult : ItemResult
{
    /// <summary>The directory that was sent.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The name of the subvolume that <c>btrfs receive</c> makes of it.</summary>
    public string Subvolume { get; internal init; } = "";

    /// <summary>Regular files, not counting further links to them.</summary>
    public long Files { get; internal init; }

    /// <summary>Directories, the one that was given included.</summary>
    public long Directories { get; internal init; }

    /// <summary>Symbolic links.</summary>
    public long SymbolicLinks { get; internal init; }

    /// <summary>Further hard links to what the stream holds.</summary>
    public long HardLinks { get; internal init; }

    /// <summary>FIFOs, sockets and devices.</summary>
    public long SpecialFiles { get; internal init; }

    /// <summary>Bytes that the regular files hold, by their sizes.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that the stream does not hold, since they are shared with what it holds.</summary>
    public long SharedLength { get; internal init; }

    /// <summary>Bytes of the files that the stream holds compressed, as they are stored.</summary>
    public long EncodedLength { get; internal init; }

    /// <summary>Bytes of the stream.</summary>
    public long StreamLength { get; internal init; }

    /// <summary>Entries that failed and are not in the stream; each was reported on its own.</summary>
    public long Failed { get; internal init; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
