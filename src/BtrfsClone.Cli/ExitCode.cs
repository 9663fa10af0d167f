namespace BtrfsClone.Cli;

/// <summary>The exit codes of the program; after a signal it is 128 plus the signal's number.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Something failed, which a line on standard error describes; or the answer to a question is no.</summary>
    public const int Failed = 1;

    /// <summary>The command line is invalid; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Added to the number of the signal that has ended it.</summary>
    public const int Signal = 128;
}
