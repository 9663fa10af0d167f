namespace BtrfsClone.Interop;

/// <summary>The path of an open file.</summary>
internal static unsafe class RealPath
{
    /// <summary>An open file's path without links, as bytes; empty if proc does not give it.</summary>
    public static byte[] Of(Descriptor file)
    {
        byte* path = stackalloc byte[Sys.PathMax];
        fixed (byte* link = Utf8Z.From(file.Path))
        {
            CallResult length = Sys.ReadLink(Descriptor.WorkingDirectory, link, path, Sys.PathMax);
            return new ReadOnlySpan<byte>(path, (int)length.Value).ToArray();
        }
    }
}
