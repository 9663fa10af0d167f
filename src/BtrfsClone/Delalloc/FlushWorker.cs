using System.Diagnostics;
using BtrfsClone.Extents;
using BtrfsClone.Interop;

namespace BtrfsClone.Delalloc;

/// <summary>One thread of a <see cref="Flusher"/>: starts writeback of its files, and checks them until they are quiet.</summary>
/// <param name="flusher">The queue that files come from and return to.</param>
/// <param name="flush">Whether to start writeback, or only wait.</param>
/// <param name="files">The thread's files: those that are busy, and those that it has not checked yet.</param>
internal sealed class FlushWorker(Flusher flusher, bool flush, List<PendingFile> files)
{
    private const int ShortestPause = 1; // Milliseconds.
    private const int LongestPause = 50;

    // The clock of Environment.TickCount64 is too coarse for the shortest pause.
    private static readonly long s_ticksPerMillisecond = Stopwatch.Frequency / 1000;

    private readonly FiemapReader _fiemap = new(PendingFile.FiemapExtents);

    /// <summary>Runs until there is no more work.</summary>
    public void Run()
    {
        int pause = ShortestPause;
        long nextLook = 0;
        while (flusher.TryTake(files, out int taken, files.Count > 0 ? nextLook : long.MaxValue))
        {
            if (Finish(files.Count - taken) < taken)
            {
                pause = ShortestPause;
            }

            // While there is room for more files, starting those has priority.
            if ((taken == 0 || !flusher.HasRoom) && Stopwatch.GetTimestamp() >= nextLook)
            {
                long begun = Stopwatch.GetTimestamp();
                int finished = Finish(first: 0);
                pause = finished > 0 ? Math.Max(pause / 2, ShortestPause) : Math.Min(pause * 2, LongestPause);

                // Counting the pages of a very long file takes longer than a pause: it must not take all of the time.
                long looking = finished > 0 ? 0 : Stopwatch.GetTimestamp() - begun;
                nextLook = Stopwatch.GetTimestamp() + Math.Max(pause * s_ticksPerMillisecond, looking);
            }
        }
    }

    /// <summary>Checks the files from an index on, and returns the quiet ones to the flusher. Returns their number.</summary>
    private int Finish(int first)
    {
        int before = files.Count;
        for (int i = first; i < files.Count;)
        {
            if (TryFinish(files[i]))
            {
                files[i] = files[^1];
                files.RemoveAt(files.Count - 1);
            }
            else
            {
                i++;
            }
        }

        return before - files.Count;
    }

    private bool TryFinish(PendingFile file)
    {
        bool isGivenUp = flusher.IsStopped || file.Item.Ended;
        Progress progress = isGivenUp ? Progress.Quiet : file.Advance(flush, _fiemap);
        if (progress == Progress.Busy)
        {
            return false;
        }

        BtrfsException? failure = progress == Progress.Failed
            ? BtrfsException.FromErrno(file.FailedError, file.FailedCall, PathOf(file))
            : null;
        file.Close();
        flusher.TakeBack(file, failure);
        return true;
    }

    /// <summary>The path of a file in a directory. It was opened long ago and its name not stored: the kernel still knows it.</summary>
    private static string PathOf(PendingFile file)
    {
        DelallocItem item = file.Item;
        if (item.Passes == 0)
        {
            return item.Path;
        }

        string top = DescriptorPath(item.Directory);
        string path = DescriptorPath(file.Descriptor);
        return top.Length > 0 && path.StartsWith(top, StringComparison.Ordinal)
            ? item.Path.TrimEnd('/') + path[(top == "/" ? 0 : top.Length)..]
            : path;
    }

    private static unsafe string DescriptorPath(Descriptor descriptor)
    {
        byte* target = stackalloc byte[Sys.PathMax];
        fixed (byte* name = Utf8Z.From(descriptor.Path))
        {
            CallResult length = Sys.ReadLink(Descriptor.WorkingDirectory, name, target, Sys.PathMax);
            return Utf8Z.ToText(new ReadOnlySpan<byte>(target, (int)length.Value));
        }
    }
}
