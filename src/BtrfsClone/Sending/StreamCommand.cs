namespace BtrfsClone.Sending;

/// <summary>enum btrfs_send_cmd (fs/btrfs/send.h): the commands of a stream, as far as they are used here.</summary>
internal enum StreamCommand : ushort
{
    Subvolume = 1,
    MakeFile = 3,
    MakeDirectory = 4,
    MakeNode = 5,
    MakeFifo = 6,
    MakeSocket = 7,
    MakeSymlink = 8,
    Link = 10,
    Unlink = 11,
    SetXattr = 13,
    Write = 15,
    Clone = 16,
    Truncate = 17,
    Chmod = 18,
    Chown = 19,
    SetTimes = 20,
    End = 21,

    /// <summary>Requires version 2, like the two below.</summary>
    Fallocate = 23,
    FileAttributes = 24,
    EncodedWrite = 25,
}

/// <summary>The attributes of commands (fs/btrfs/send.h), as far as they are used here.</summary>
internal enum StreamAttribute : ushort
{
    Uuid = 1,
    Transaction = 2,
    Inode = 3,
    Size = 4,
    Mode = 5,
    Uid = 6,
    Gid = 7,
    Device = 8,
    ChangeTime = 9,
    ModifyTime = 10,
    AccessTime = 11,
    XattrName = 13,
    XattrValue = 14,
    Path = 15,
    LinkTarget = 17,
    Offset = 18,

    /// <summary>From version 2 on the last one of its command, without a length: it extends to the end of the command.</summary>
    Data = 19,
    CloneUuid = 20,
    CloneTransaction = 21,
    ClonePath = 22,
    CloneOffset = 23,
    CloneLength = 24,
    FallocateMode = 25,
    FileAttributes = 26,
    UnencodedFileLength = 27,
    UnencodedLength = 28,
    UnencodedOffset = 29,
    Compression = 30,
}
