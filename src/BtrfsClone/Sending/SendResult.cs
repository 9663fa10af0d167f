namespace BtrfsClone.Sending;

/// <summary>The result of sending one directory. Lengths are in bytes.</summary>
public sealed class SendResult : ItemResult
{
    /// <summary>The directory that was sent.</summary>
    public override string Path { get; internal init; } = "";

    /// <summary>The name of the subvolume that <c>btrfs receive</c> creates from it.</summary>
    public string Subvolume { get; internal init; } = "";

    /// <summary>Regular files, not counting additional links to them.</summary>
    public long Files { get; internal init; }

    /// <summary>Directories, including the given one.</summary>
    public long Directories { get; internal init; }

    /// <summary>Symbolic links.</summary>
    public long SymbolicLinks { get; internal init; }

    /// <summary>Additional hard links to files in the stream.</summary>
    public long HardLinks { get; internal init; }

    /// <summary>FIFOs, sockets and devices.</summary>
    public long SpecialFiles { get; internal init; }

    /// <summary>The sum of the sizes of the regular files.</summary>
    public long Length { get; internal init; }

    /// <summary>Bytes that are not in the stream because they are shared with data that is.</summary>
    public long SharedLength { get; internal init; }

    /// <summary>Bytes of the files that are in the stream in compressed form, as stored on disk.</summary>
    public long EncodedLength { get; internal init; }

    /// <summary>The length of the stream.</summary>
    public long StreamLength { get; internal init; }

    /// <summary>Entries that failed and are not in the stream; each was reported individually.</summary>
    public long Failed { get; internal init; }

    /// <summary>The elapsed time.</summary>
    public TimeSpan Elapsed { get; internal init; }
}
