namespace BtrfsClone.Interop;

/// <summary>Where an open file is found.</summary>
internal static unsafe class RealPath
{
    /// <summary>An open file's path without links, as bytes; empty where proc does not tell it.</summary>
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
