using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Clones the files that a worker has collected, reports failures, and counts the others.</summary>
internal sealed unsafe class BatchCloner(CloneContext context, EntryCloner entries, CancellationToken cancellation)
{
    private readonly FileCloner _files = new(context);

    /// <summary>Clones the files of the batch, and empties it.</summary>
    public void Run(WorkerBuffers buffers, DirectoryPair directory)
    {
        try
        {
            _files.Make(buffers, directory, buffers.Batch.Files, cancellation);
            foreach (ref FileClone file in buffers.Batch.Files)
            {
                Failure failure = entries.Settle(buffers, directory, ref file, cancellation);
                if (failure.Failed)
                {
                    context.Report(failure, directory, new ReadOnlySpan<byte>(file.Name, Utf8Z.Length(file.Name)));
                }
            }
        }
        finally
        {
            GiveUp(buffers, directory);
        }
    }

    /// <summary>Closes the sources, removes incomplete clones, and empties the batch.</summary>
    public void GiveUp(WorkerBuffers buffers, DirectoryPair directory)
    {
        foreach (ref FileClone file in buffers.Batch.Files)
        {
            _files.GiveUp(directory, ref file);
            buffers.Closing.Add(file.Source);
        }

        buffers.Batch.Clear();
    }
}
