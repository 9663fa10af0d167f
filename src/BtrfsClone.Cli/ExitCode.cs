namespace BtrfsClone.Cli;

/// <summary>What the program tells its caller; after a signal it is 128 and the signal's number.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Something failed, and a line on standard error says what; or the answer to a question is no.</summary>
    public const int Failed = 1;

    /// <summary>The command line could not be understood; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Before the number of the signal that has ended it.</summary>
    public const int Signal = 128;
}
