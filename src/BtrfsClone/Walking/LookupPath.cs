using BtrfsClone.Interop;

namespace BtrfsClone.Walking;

/// <summary>A path for the kernel to look up, absolute or relative to an open directory. Symbolic links are followed.</summary>
/// <param name="Directory">The start of a relative path.</param>
/// <param name="Text">The path.</param>
internal readonly unsafe record struct LookupPath(Descriptor Directory, string Text)
{
    /// <summary>An absolute path.</summary>
    public LookupPath(string path)
        : this(Descriptor.WorkingDirectory, path)
    {
    }

    /// <summary>openat(2).</summary>
    public CallResult Open(int flags, out Descriptor opened)
    {
        fixed (byte* text = Utf8Z.From(Text))
        {
            return Sys.OpenAt(Directory, text, flags, out opened);
        }
    }

    /// <summary>statx(2).</summary>
    public CallResult Stat(out Statx status)
    {
        fixed (byte* text = Utf8Z.From(Text))
        {
            return Sys.StatPath(Directory, text, out status);
        }
    }
}
