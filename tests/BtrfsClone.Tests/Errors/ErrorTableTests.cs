using BtrfsClone.Interop;

namespace BtrfsClone.Tests.Errors;

/// <summary>
/// Every errno that each call can give, from the manual pages and the kernel's sources, means nothing wrong on either side.
/// </summary>
public sealed class ErrorTableTests
{
    private const string Lookup = "EACCES ELOOP ENAMETOOLONG ENOENT ENOTDIR ENOMEM ESTALE EIO EUCLEAN ENOSYS";
    private const string Making = Lookup + " EDQUOT EEXIST EINVAL EILSEQ EMLINK ENOSPC EOVERFLOW EPERM EROFS EBUSY";
    private const string Descriptor = "EBADF EIO ENOMEM EUCLEAN ENOSYS EACCES EPERM EINVAL EPROTO";

    /// <summary>What each call can fail with, where it reads and where it writes.</summary>
    private static readonly Dictionary<SystemCall, (string Source, string Destination)> s_errors = new()
    {
        [SystemCall.OpenAt] = (
            Lookup + " EMFILE ENFILE ENODEV ENXIO EPERM EAGAIN EOVERFLOW EINVAL EOPNOTSUPP",
            Making + " EISDIR EMFILE ENFILE ENODEV ENXIO EAGAIN ETXTBSY EFBIG EOPNOTSUPP"),
        [SystemCall.Statx] = (Lookup, Lookup),
        [SystemCall.OpenByHandleAt] = (Descriptor + " ENOTTY EOPNOTSUPP ESTALE EMFILE ENFILE", ""),
        [SystemCall.MkdirAt] = ("", Making),
        [SystemCall.MknodAt] = ("", Making + " EOPNOTSUPP"),
        [SystemCall.SymlinkAt] = ("", Making + " EOPNOTSUPP"),
        [SystemCall.LinkAt] = ("", Making + " EXDEV EOPNOTSUPP"),
        [SystemCall.RenameAt] = ("", Making + " EXDEV EISDIR ENOTEMPTY"),
        [SystemCall.RenameAt2] = ("", Making + " EXDEV EISDIR ENOTEMPTY"),
        [SystemCall.UnlinkAt] = ("", Lookup + " EBUSY EISDIR ENOTEMPTY EPERM EROFS EOVERFLOW EDQUOT ENOSPC"),
        [SystemCall.ReadlinkAt] = (Lookup + " EINVAL", Lookup),
        [SystemCall.GetDents] = (Descriptor + " ENOENT ENOTDIR", Descriptor + " ENOENT ENOTDIR"),
        [SystemCall.Lseek] = (Descriptor + " ENXIO EOVERFLOW", ""),
        [SystemCall.Pread] = (Descriptor + " EAGAIN EISDIR", Descriptor + " EISDIR"),
        [SystemCall.Pwrite] = ("", Descriptor + " EAGAIN EFBIG ENOSPC EDQUOT ETXTBSY"),
        [SystemCall.Read] = (Descriptor + " EAGAIN EISDIR", Descriptor + " EISDIR"),
        [SystemCall.Fstatfs] = (Descriptor, Descriptor),
        [SystemCall.Fchown] = ("", Descriptor + " EROFS EOVERFLOW EDQUOT ENOSPC ENOENT"),
        [SystemCall.Fchmod] = ("", Descriptor + " EROFS EOVERFLOW ENOSPC ENOENT EOPNOTSUPP"),
        [SystemCall.UtimensAt] = ("", Descriptor + " EROFS EOVERFLOW ENOSPC ENOENT"),
        [SystemCall.Ftruncate] = ("", Descriptor + " EFBIG EROFS ETXTBSY ENOSPC EDQUOT EOVERFLOW"),
        [SystemCall.Fallocate] = ("", Descriptor + " EFBIG ENODEV ENOSPC EOPNOTSUPP ETXTBSY EDQUOT EROFS ESPIPE"),
        [SystemCall.ListXattr] = (Descriptor + " E2BIG ERANGE EOPNOTSUPP", ""),
        [SystemCall.GetXattr] = (Descriptor + " E2BIG ENODATA ERANGE EOPNOTSUPP EOVERFLOW", ""),
        [SystemCall.SetXattr] = ("", Descriptor + " EDQUOT EEXIST ENODATA ENOSPC EOPNOTSUPP ERANGE E2BIG EOVERFLOW EROFS"),
        [SystemCall.RemoveXattr] = ("", Descriptor + " EDQUOT ENODATA ENOSPC EOPNOTSUPP ERANGE EOVERFLOW EROFS"),
        [SystemCall.GetFlags] = (Descriptor + " ENOTTY EOPNOTSUPP", ""),
        [SystemCall.SetFlags] = ("", Descriptor + " ENOTTY EOPNOTSUPP EROFS ENOSPC EOVERFLOW"),
        [SystemCall.FsSetXattr] = ("", Descriptor + " ENOTTY EOPNOTSUPP EROFS ENOSPC EOVERFLOW"),
        [SystemCall.FiClone] = (
            Descriptor + " EXDEV EOPNOTSUPP ENOTTY ETXTBSY EISDIR", Descriptor + " EDQUOT EFBIG ENOSPC EROFS ETXTBSY"),
        [SystemCall.FiCloneRange] = (
            Descriptor + " EXDEV EOPNOTSUPP ENOTTY ETXTBSY EISDIR", Descriptor + " EDQUOT EFBIG ENOSPC EROFS ETXTBSY"),
        [SystemCall.DedupeRange] = (Descriptor + " EXDEV EOPNOTSUPP ENOTTY ETXTBSY EISDIR EROFS EDQUOT ENOSPC EFBIG", ""),
        [SystemCall.CopyFileRange] = ("EIO", Descriptor + " EFBIG ENOSPC EDQUOT EOVERFLOW ETXTBSY EISDIR EOPNOTSUPP"),
        [SystemCall.Fiemap] = (Descriptor + " EOPNOTSUPP ENOTTY EFBIG ENOSPC EDQUOT", ""),
        [SystemCall.TreeSearch] = (Descriptor + " ENOENT ENOTTY EOVERFLOW", ""),
        [SystemCall.InoLookup] = (Descriptor + " ENOENT ENOTTY", ""),
        [SystemCall.LogicalIno] = (Descriptor + " ENOTTY", ""),
        [SystemCall.InoLookupUser] = (Descriptor + " ENOENT ENOTTY", ""),
        [SystemCall.FsInfo] = (Descriptor + " ENOTTY", Descriptor + " ENOTTY"),
        [SystemCall.CreateSnapshot] = (
            "EPERM ETXTBSY", Descriptor + " EDQUOT EEXIST EMLINK ENAMETOOLONG ENOENT ENOSPC ENOTTY EROFS EXDEV EAGAIN"),
        [SystemCall.DestroySnapshot] = ("", Descriptor + " EBUSY ENOENT ENOSPC ENOTDIR ENOTEMPTY ENOTTY EROFS"),
        [SystemCall.EncodedRead] = ("EIO ENOMEM EUCLEAN", ""),
        [SystemCall.EncodedWrite] = ("", "EBADF EIO ENOMEM EUCLEAN EFBIG ENOSPC EDQUOT EROFS ETXTBSY"),
        [SystemCall.GetSubvolRootRef] = (Descriptor + " ENOENT ENOTTY EOVERFLOW", ""),
        [SystemCall.GetSubvolInfo] = (Descriptor + " ENOENT ENOTTY", Descriptor + " ENOENT ENOTTY"),
        [SystemCall.SubvolSetFlags] = ("", Descriptor + " EDQUOT ENOSPC ENOTTY EROFS ETXTBSY"),
        [SystemCall.Fcntl] = (Descriptor + " EAGAIN EMFILE", Descriptor + " EAGAIN EMFILE"),
        [SystemCall.Flock] = ("", "EBADF EAGAIN ENOMEM ENOSYS"),
        [SystemCall.SyncFileRange] = (Descriptor + " ESPIPE ENOSPC EDQUOT", ""),
        [SystemCall.SyncFs] = ("EBADF EIO ENOSPC EDQUOT", ""),
        [SystemCall.RealPath] = (Lookup + " EINVAL", Lookup + " EINVAL"),
        [SystemCall.GetCwd] = ("ENOENT ENOMEM ENAMETOOLONG EACCES", "ENOENT"),
    };

    /// <summary>What alone may mean an error. What is not here is never a call's own answer.</summary>
    private static readonly Dictionary<BtrfsError, string> s_causes = new()
    {
        [BtrfsError.SourceNotFound] = "ENOENT ELOOP",
        [BtrfsError.DestinationNotFound] = "ENOENT ELOOP",
        [BtrfsError.NotADirectory] = "ENOTDIR",
        [BtrfsError.NameTooLong] = "ENAMETOOLONG",
        [BtrfsError.DestinationExists] = "EEXIST ENOTEMPTY EISDIR ENOTDIR",
        [BtrfsError.CrossDevice] = "EXDEV",
        [BtrfsError.CloneNotSupported] = "EOPNOTSUPP ENOTTY",
        [BtrfsError.MetadataNotSupported] = "EOPNOTSUPP ENOTTY EINVAL E2BIG ERANGE",
        [BtrfsError.NoCowMismatch] = "EINVAL",
        [BtrfsError.SwapFile] = "ETXTBSY",
        [BtrfsError.FileBusy] = "ETXTBSY EBUSY EAGAIN",
        [BtrfsError.NoSpace] = "ENOSPC",
        [BtrfsError.FileTooLarge] = "EFBIG EOVERFLOW",
        [BtrfsError.TooManyOpenFiles] = "EMFILE ENFILE",
        [BtrfsError.OutOfMemory] = "ENOMEM",
        [BtrfsError.QuotaExceeded] = "EDQUOT",
        [BtrfsError.PermissionDenied] = "EACCES EPERM",
        [BtrfsError.OwnerNotMapped] = "EOVERFLOW EINVAL",
        [BtrfsError.ReadOnlyFileSystem] = "EROFS",
        [BtrfsError.TooManyLinks] = "EMLINK",
        [BtrfsError.NotRegularFile] = "EISDIR ENXIO ENODEV",
        [BtrfsError.NotBtrfs] = "ENOTTY EOPNOTSUPP",
        [BtrfsError.FiemapNotSupported] = "EOPNOTSUPP ENOTTY",
        [BtrfsError.InvalidPath] = "EINVAL EILSEQ",
        [BtrfsError.ChangedMeanwhile] = "ENOENT ENOTDIR ELOOP ESTALE ENODATA ERANGE ENXIO ENODEV",
        [BtrfsError.IOError] = "EIO EUCLEAN EPROTO EBADF EINVAL ENOSYS E2BIG ERANGE ENXIO ENODEV ESPIPE EOPNOTSUPP ENOTTY ENODATA EXDEV",
    };

    [Fact]
    public void Every_call_has_its_errors_here() =>
        Assert.Equal(
            Enum.GetValues<SystemCall>().Where(call => call != SystemCall.None).Order(), s_errors.Keys.Order());

    [Fact]
    public void No_errno_of_any_call_means_something_wrong()
    {
        List<string> wrong = [];
        foreach ((SystemCall call, string name, bool atSource, bool isNamed) in All())
        {
            ErrorMeaning meaning = ErrorTable.Of(call, Number(name), atSource, isNamed);
            if (!s_causes.TryGetValue(meaning.Error, out string? causes) || !causes.Split(' ').Contains(name) ||
                (meaning.Error == BtrfsError.SourceNotFound && !atSource) ||
                (meaning.Error is BtrfsError.DestinationNotFound or BtrfsError.DestinationExists && atSource) ||
                (meaning.Error == BtrfsError.ChangedMeanwhile && isNamed && name is "ENOENT" or "ELOOP" or "ENOTDIR" &&
                    call is SystemCall.OpenAt or SystemCall.Statx) ||
                (meaning.Error == BtrfsError.NotADirectory && !isNamed))
            {
                wrong.Add($"{call} {name} {(atSource ? "source" : "destination")} {(isNamed ? "named" : "listed")}: {meaning.Error}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void The_kernel_log_is_named_only_where_the_kernel_has_written_to_it()
    {
        foreach ((SystemCall call, string name, bool atSource, bool isNamed) in All())
        {
            string text = Message(call, name, atSource, isNamed);

            Assert.Equal(
                name is "EIO" or "EUCLEAN",
                text.Contains("dmesg", StringComparison.Ordinal) || text.Contains("kernel log", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_message_is_two_sentences_or_three_without_an_options_spelling()
    {
        foreach ((SystemCall call, string name, bool atSource, bool isNamed) in All())
        {
            AssertText(new BtrfsException(ErrorTable.Of(call, Number(name), atSource, isNamed), "/x", call, Number(name)));
        }

        foreach (BtrfsError error in Enum.GetValues<BtrfsError>())
        {
            AssertText(new BtrfsException(error, "/x"));
        }
    }

    [Theory]
    [InlineData("FiClone", "ENOSPC", false)]
    [InlineData("FiClone", "EDQUOT", false)]
    [InlineData("FiCloneRange", "ENOSPC", false)]
    [InlineData("FiCloneRange", "EDQUOT", false)]
    [InlineData("FiClone", "EXDEV", true)]
    [InlineData("FiClone", "ETXTBSY", true)]
    [InlineData("CopyFileRange", "ENOSPC", false)]
    [InlineData("CreateSnapshot", "ETXTBSY", true)]
    [InlineData("CreateSnapshot", "ENOSPC", false)]
    public void A_call_on_two_files_names_the_one_that_is_at_fault(string call, string name, bool atSource) =>
        Assert.Equal(atSource, ErrorTable.IsOfSource(Enum.Parse<SystemCall>(call), Number(name)));

    private static IEnumerable<(SystemCall Call, string Name, bool AtSource, bool IsNamed)> All() =>
        from row in s_errors
        from side in new[] { (Names: row.Value.Source, AtSource: true), (Names: row.Value.Destination, AtSource: false) }
        from name in side.Names.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        from isNamed in new[] { true, false }
        select (row.Key, name, side.AtSource, isNamed);

    private static string Message(SystemCall call, string name, bool atSource, bool isNamed)
    {
        BtrfsException failure = new(ErrorTable.Of(call, Number(name), atSource, isNamed), "/x", call, Number(name));
        return $"{failure.Message} {failure.Advice(option => $"<{option}>")}";
    }

    private static void AssertText(BtrfsException failure)
    {
        string advice = failure.Advice(option => $"<{option}>");
        Assert.Matches(@"^'/x': [a-zA-Z/].*[^.]\.$", failure.Message);
        Assert.Matches(@"^[A-Z'].*[^.]\.$", advice);
        Assert.DoesNotMatch(@"[{}]", failure.Message + advice);
        Assert.DoesNotMatch(@"(^|[ (])(--[a-z]|-[A-Z][a-z])", failure.Message + advice);
    }

    private static Errno Number(string name) => Enum.Parse<Errno>(name);
}
