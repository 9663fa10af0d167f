using System.Diagnostics;

namespace BtrfsClone.Cli;

/// <summary>One line on standard error that is rewritten repeatedly; silent if that is not a terminal.</summary>
internal sealed class ProgressLine
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    private long _last = Stopwatch.GetTimestamp();
    private bool _shown;

    /// <summary>Shows the text that <paramref name="line"/> returns, at most four times per second.</summary>
    public void Show(Func<string> line)
    {
        if (Stopwatch.GetElapsedTime(_last) < s_interval || Console.IsErrorRedirected)
        {
            return;
        }

        _last = Stopwatch.GetTimestamp();
        _shown = true;
        string text = line();
        int room = Math.Max(Console.BufferWidth - 1, 20);
        // ESC [K clears the rest of a longer line.
        Console.Error.Write($"\r{(text.Length <= room ? text : text[..room])}\u001b[K");
    }

    public void Clear()
    {
        if (_shown)
        {
            _shown = false;
            Console.Error.Write("\r\u001b[K");
        }
    }
}
