using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace BtrfsClone.Tests.Support;

/// <summary>
/// A writer that raises a counter in one file, then in another, on and on, and brings each to the disk before it goes
/// on: at no moment are the two more than one apart.
/// </summary>
internal sealed class CounterPair : IDisposable
{
    private readonly Thread _writer;
    private long _count;
    private volatile bool _stop;
    private Exception? _failure;

    public CounterPair(string first, string last)
    {
        Write(first, 0);
        Write(last, 0);
        _writer = new Thread(() => Run(first, last)) { IsBackground = true };
        _writer.Start();
    }

    public static long Read(string path) => BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(path));

    /// <summary>Waits until the writer is at work.</summary>
    public void WaitForNext()
    {
        long now = Volatile.Read(ref _count);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _count) > now || _failure is not null, TimeSpan.FromSeconds(30)));
        Assert.Null(_failure);
    }

    public void Dispose()
    {
        _stop = true;
        _writer.Join();
    }

    private static void Write(string path, long value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        File.WriteAllBytes(path, bytes);
    }

    private static void Raise(SafeFileHandle file, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        RandomAccess.Write(file, bytes, 0);
        RandomAccess.FlushToDisk(file);
    }

    private void Run(string first, string last)
    {
        try
        {
            using SafeFileHandle one = File.OpenHandle(first, access: FileAccess.Write, share: FileShare.ReadWrite);
            using SafeFileHandle two = File.OpenHandle(last, access: FileAccess.Write, share: FileShare.ReadWrite);
            for (long value = 1; !_stop; value++)
            {
                Raise(one, value);
                Raise(two, value);
                Volatile.Write(ref _count, value);
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
