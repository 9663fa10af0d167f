using System.Management.Automation.Language;

namespace BtrfsClone.PowerShell;

/// <summary>Values as a user would type them.</summary>
internal static class ArgumentText
{
    /// <summary>The value, quoted if a command line would not parse it as one word.</summary>
    public static string Quoted(string value)
    {
        _ = Parser.ParseInput($"x {value}", out Token[] tokens, out ParseError[] errors);
        bool isWord = errors.Length == 0
            && tokens is [_, { Kind: TokenKind.Generic or TokenKind.Identifier, Text: string text }, { Kind: TokenKind.EndOfInput }]
            && text == value
            && !value.Contains('`', StringComparison.Ordinal);
        return isWord ? value : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
    }
}
