using BtrfsClone.Interop;

namespace BtrfsClone.Tests.Interop;

/// <summary>The count of system calls that the debug stream shows.</summary>
public sealed class CallTraceTests
{
    [Fact]
    public void Can_be_shown_while_another_thread_makes_calls()
    {
        string[] calls = [.. Enumerable.Range(0, 500).Select(number => $"Test{number}")];
        bool isEnough = false;
        Thread thread = new(() =>
        {
            for (int i = 0; !Volatile.Read(ref isEnough); i++)
            {
                CallTrace.Add(calls[i % calls.Length], CallResult.Success);
            }
        });
        thread.Start();
        try
        {
            for (int round = 0; round < 1000; round++)
            {
                using CallTrace trace = new();
                while (!trace.ToString().Contains("Test99 ", StringComparison.Ordinal))
                {
                }
            }
        }
        finally
        {
            Volatile.Write(ref isEnough, true);
            thread.Join();
        }
    }
}
