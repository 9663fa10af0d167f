using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>
/// Clones the files of a batch step by step: all are looked at, then all are created, then all are filled. A step that is
/// done several times in a row finds the kernel's code and the tree's blocks in the processor's caches still, and
/// other workers in its way less often: all in all a tenth less time than file by file.
/// </summary>
internal sealed unsafe class BatchCloner(CloneSession session, EntryCloner entries)
{
    private readonly FileCloner _files = new(session);

    /// <summary>Clones what is in the batch, reports what fails, and leaves it empty.</summary>
    public void Run(WorkerBuffers buffers, DirectoryPair directory)
    {
        try
        {
            Span<FileClone> files = buffers.Batch.Files;
            foreach (ref FileClone file in files)
            {
                file.Fault = _files.LookAt(buffers, directory, ref file);
            }

            foreach (ref FileClone file in files)
            {
                file.Fault = file.Fault.Failed ? file.Fault : FileCloner.Create(directory, ref file);
            }

            foreach (ref FileClone file in files)
            {
                if (session.Cancellation.IsCancellationRequested)
                {
                    return;
                }

                End(buffers, directory, ref file);
            }
        }
        finally
        {
            GiveUp(buffers, directory);
        }
    }

    /// <summary>Removes what was made of files that are still in the batch, and empties it.</summary>
    public static void GiveUp(WorkerBuffers buffers, DirectoryPair directory)
    {
        foreach (ref FileClone file in buffers.Batch.Files)
        {
            if (file.Destination >= 0)
            {
                FileCloner.Remove(buffers, directory, file);
            }

            if (file.Source >= 0)
            {
                buffers.Closing.Add(file.Source);
            }
        }

        buffers.Batch.Clear();
    }

    private void End(WorkerBuffers buffers, DirectoryPair directory, ref FileClone file)
    {
        Fault fault = file.Fault;
        if (!fault.Failed)
        {
            fault = _files.Fill(buffers, directory, file);
            file.Destination = -1;
        }
        else if (fault is { Errno: Errno.EEXIST, AtSource: false })
        {
            fault = entries.Replace(buffers, directory, file);
        }

        buffers.Closing.Add(file.Source);
        file.Source = -1;
        if (fault.Failed)
        {
            session.Report(fault, directory, new ReadOnlySpan<byte>(file.Name, Utf8Z.Length(file.Name)));
        }
        else
        {
            session.Counters.AddFile((long)file.Status.Size);
        }
    }
}
