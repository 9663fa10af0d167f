using System.Globalization;
using System.Text;

namespace BtrfsClone.PowerShell;

/// <summary>Draws files as bars, with a legend that contains their totals.</summary>
/// <param name="width">The maximum number of columns of a line.</param>
/// <param name="plain">True for ASCII without colours.</param>
internal sealed class ExtentMap(int width, bool plain)
{
    private const string Reset = "\u001b[0m";

    // In the order of ExtentClass.
    private static readonly Style[] s_styles =
    [
        new("exclusive", '#', '\u2588', "\u001b[32m"),
        new("shared", '=', '\u2593', "\u001b[36m"),
        new("inline", 'i', '\u25a0', "\u001b[33m"),
        new("prealloc", 'p', '\u2591', "\u001b[34m"),
        new("delalloc", '~', '\u2592', "\u001b[35m"),
        new("hole", '.', '\u00b7', "\u001b[90m"),
    ];

    private static readonly Style s_several = new("several", '%', '\u259a', "\u001b[31m");

    private readonly Totals _all = new();
    private readonly ExtentBar _bar = new();
    private Totals _file = new();
    private string? _path;
    private int _files;

    /// <summary>Adds the next file extent. The lines of a file are created after its last one.</summary>
    public IEnumerable<string> Add(MappedPiece piece)
    {
        IEnumerable<string> finished = [];
        if (piece.Path != _path || piece.Offset < _bar.End)
        {
            finished = EndFile();
            _path = piece.Path;
        }

        if (piece.Offset > _bar.End)
        {
            _file.Add(ExtentClass.Hole, piece.Offset - _bar.End);
        }

        _file.Add(piece.Class, piece.Length);
        _bar.Add(piece.Offset, piece.Length, piece.Class);
        return finished;
    }

    /// <summary>Creates the last file's lines, and the totals of all files if there are several.</summary>
    public IEnumerable<string> End()
    {
        List<string> lines = [.. EndFile()];
        if (_files > 1)
        {
            lines.Add($"{_files} files, {Describe(_all)}");
            lines.AddRange(Legend(_all, several: false));
        }

        return lines;
    }

    private List<string> EndFile()
    {
        List<string> lines = [];
        if (_path is null)
        {
            return lines;
        }

        (ExtentClass Most, bool Several)[] cells = _bar.Cells(width - 2);
        lines.Add($"{PathText.Printable(_path)}: {Describe(_file)}");
        lines.Add(Bar(cells));
        lines.AddRange(Legend(_file, cells.Any(cell => cell.Several)));
        lines.Add("");
        _all.Add(_file);
        _file = new Totals();
        _bar.Clear();
        _path = null;
        _files++;
        return lines;
    }

    private string Bar((ExtentClass Most, bool Several)[] cells)
    {
        StringBuilder bar = new("[");
        string colour = "";
        foreach ((ExtentClass most, bool several) in cells)
        {
            Style style = several ? s_several : s_styles[(int)most];
            if (!plain && style.Colour != colour)
            {
                colour = style.Colour;
                bar.Append(colour);
            }

            bar.Append(Glyph(style));
        }

        return bar.Append(plain ? "" : Reset).Append(']').ToString();
    }

    /// <summary>The meaning of the glyphs, with the bytes of each, in as many lines as necessary.</summary>
    private List<string> Legend(Totals totals, bool several)
    {
        List<string> lines = [];
        StringBuilder line = new();
        int column = 0;
        for (int kind = 0; kind <= s_styles.Length; kind++)
        {
            bool isClass = kind < s_styles.Length;
            if (isClass ? totals.Bytes[kind] == 0 : !several)
            {
                continue;
            }

            Style style = isClass ? s_styles[kind] : s_several;
            string words = isClass
                ? $" {style.Name} {ViewText.Size(totals.Bytes[kind])} ({Percent(totals.Bytes[kind], totals.Sum)})"
                : " several of these";
            if (column > 0 && column + 3 + words.Length > width)
            {
                lines.Add(line.ToString());
                line.Clear();
                column = 0;
            }

            line.Append(column > 0 ? "  " : "").Append(plain ? "" : style.Colour).Append(Glyph(style))
                .Append(plain ? "" : Reset).Append(words);
            column += (column > 0 ? 3 : 1) + words.Length;
        }

        lines.Add(line.ToString());
        return lines;
    }

    private char Glyph(Style style) => plain ? style.Plain : style.Glyph;

    private static string Describe(Totals totals) =>
        $"{ViewText.Size(totals.Sum)}, {totals.Pieces.ToString("N0", CultureInfo.CurrentCulture)} " +
        $"{(totals.Pieces == 1 ? "extent" : "extents")}";

    private static string Percent(double part, double sum) => (part * 100 / Math.Max(sum, 1)) switch
    {
        < 0.1 => "< 0.1 %",
        > 99.9 and < 100 => "> 99.9 %",
        double percent => percent.ToString("0.#", CultureInfo.CurrentCulture) + " %",
    };

    private sealed record Style(string Name, char Plain, char Glyph, string Colour);

    private sealed class Totals
    {
        /// <summary>The sum of two files of maximum length exceeds a 64-bit number.</summary>
        public double[] Bytes { get; } = new double[s_styles.Length];

        public long Pieces { get; private set; }

        public double Sum => Bytes.Sum();

        public void Add(ExtentClass kind, long bytes)
        {
            Bytes[(int)kind] += bytes;
            Pieces += kind == ExtentClass.Hole ? 0 : 1;
        }

        public void Add(Totals other)
        {
            for (int i = 0; i < Bytes.Length; i++)
            {
                Bytes[i] += other.Bytes[i];
            }

            Pieces += other.Pieces;
        }
    }
}
