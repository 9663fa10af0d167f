namespace BtrfsClone.Tests.Support;

/// <summary>Names that have broken somebody's tool, as byte text.</summary>
public sealed class RandomNames(Random random)
{
    /// <summary>NAME_MAX, in bytes.</summary>
    private const int MaxLength = 255;

    private int _count;

    /// <summary>A new name, unlike all before it.</summary>
    /// <param name="utf8">Only names that are valid UTF-8, which a command line of text can carry.</param>
    public string Next(bool utf8)
    {
        string number = $"{++_count}";
        return random.Next(utf8 ? 18 : 21) switch
        {
            0 => $"new\nline{number}",
            1 => $"\n{number}\n",
            2 => $"it's \"quoted\" {number}",
            3 => $"[a-z]{number}",
            4 => $"*?{{{number}}}",
            5 => $"-{number}",
            6 => $"--help={number}",
            7 => $" lead and trail {number} ",
            8 => $"back\\slash\\{number}",
            9 => $".hidden{number}",
            10 => $"tab\tbell\a{number}",
            11 => $"$HOME`{number}`;|&#~%41",
            12 => $"...{number}",
            13 => ByteText.FromText($"ünïcødé 日本 🐧 {number}"),
            14 => ByteText.FromText($"e\u0301 \u202e{number}"),
            15 => number.PadLeft(MaxLength, 'x'),
            16 or 17 => $"plain{number}.txt",
            18 => $"\u00ff\u00fe{number}",
            19 => $"\u00c3{number}\u0080",
            _ => number.PadRight(MaxLength, '\u00e9'),
        };
    }
}
