using System.Text;
using BtrfsClone.Extents;

namespace BtrfsClone.Cli;

/// <summary>Writes extents: as lines for people, or as JSON objects for programs.</summary>
internal abstract class ExtentLines(Utf8Output output)
{
    private static readonly byte[][] s_kinds = Names<ExtentKind>();
    private static readonly byte[][] s_compressions = Names<ExtentCompression>();

    protected Utf8Output Output => output;

    public static ExtentLines Create(bool json, Utf8Output output) => json ? new Json(output) : new Text(output);

    public abstract void BeginFile(string path);

    public abstract void Write(in FileExtent extent);

    private static byte[][] Names<T>()
        where T : struct, Enum => Array.ConvertAll(Enum.GetNames<T>(), Encoding.UTF8.GetBytes);

    private static ReadOnlySpan<byte> Name(ExtentKind kind) => s_kinds[(int)kind];

    private static ReadOnlySpan<byte> Name(ExtentCompression compression) => s_compressions[(int)compression];

    /// <summary>One object per line, with the names of <see cref="BtrfsExtent"/>.</summary>
    private sealed class Json(Utf8Output output) : ExtentLines(output)
    {
        private byte[] _head = [];

        public override void BeginFile(string path) =>
            _head = Encoding.UTF8.GetBytes($$"""{"Path":{{JsonLines.Quote(path)}},"Offset":""");

        public override void Write(in FileExtent extent)
        {
            Output.Write(_head);
            Output.Write(extent.Offset);
            Output.Write(",\"Length\":"u8);
            Output.Write(extent.Length);
            Output.Write(",\"Kind\":\""u8);
            Output.Write(Name(extent.Kind));
            Output.Write("\""u8);
            Number(",\"DiskOffset\":"u8, extent.DiskOffset);
            Number(",\"DiskLength\":"u8, extent.DiskLength);
            Number(",\"ExtentOffset\":"u8, extent.ExtentOffset);
            Number(",\"RamLength\":"u8, extent.RamLength);
            Output.Write(",\"Compression\":"u8);
            if (extent.Compression is ExtentCompression compression)
            {
                Output.Write("\""u8);
                Output.Write(Name(compression));
                Output.Write("\""u8);
            }
            else
            {
                Output.Write("null"u8);
            }

            Output.Write(",\"IsShared\":"u8);
            Output.Write(extent.IsShared switch { true => "true"u8, false => "false"u8, null => "null"u8 });
            Number(",\"ReferenceCount\":"u8, extent.ReferenceCount);
            Number(",\"Generation\":"u8, extent.Generation);
            Number(",\"PhysicalOffset\":"u8, extent.PhysicalOffset);
            Output.Write("}"u8);
            Output.EndLine();
        }

        private void Number(ReadOnlySpan<byte> name, long? number)
        {
            Output.Write(name);
            if (number is long value)
            {
                Output.Write(value);
            }
            else
            {
                Output.Write("null"u8);
            }
        }
    }

    /// <summary>A table for each file; unknown and inapplicable values are a dash.</summary>
    private sealed class Text(Utf8Output output) : ExtentLines(output)
    {
        private const int Wide = 15;
        private const int Narrow = 10;

        private bool _hasFile;

        public override void BeginFile(string path)
        {
            if (_hasFile)
            {
                Output.EndLine();
            }

            _hasFile = true;
            Output.Write(Encoding.UTF8.GetBytes(PathText.Printable(path)));
            Output.EndLine();
            Output.WriteRight("OFFSET"u8, Wide);
            Output.WriteRight("LENGTH"u8, Wide);
            Output.WriteLeft("KIND"u8, 8);
            Output.WriteRight("PHYSICAL"u8, Wide);
            Output.WriteRight("EXTENT AT"u8, Wide);
            Output.WriteRight("EXT.OFFSET"u8, Narrow);
            Output.WriteRight("DISKLENGTH"u8, Narrow);
            Output.WriteLeft("COMPR"u8, 5);
            Output.WriteLeft("SHARED"u8, 6);
            Output.WriteRight("REFS"u8, 5);
            Output.EndLine();
        }

        public override void Write(in FileExtent extent)
        {
            Output.WriteRight(extent.Offset, Wide);
            Output.WriteRight(extent.Length, Wide);
            Output.WriteLeft(Name(extent.Kind), 8);
            Output.WriteRight(extent.PhysicalOffset, Wide);
            Output.WriteRight(extent.DiskOffset, Wide);
            Output.WriteRight(extent.ExtentOffset, Narrow);
            Output.WriteRight(extent.DiskLength, Narrow);
            Output.WriteLeft(extent.Compression is ExtentCompression known ? Name(known) : "-"u8, 5);
            Output.WriteLeft(extent.IsShared switch { true => "yes"u8, false => "no"u8, null => "-"u8 }, 6);
            Output.WriteRight(extent.ReferenceCount, 5);
            Output.EndLine();
        }
    }
}
