using BtrfsClone.Interop;

namespace BtrfsClone.Cloning;

/// <summary>Clones the files that a worker has put together, reports those that fail, and counts the others.</summary>
internal sealed unsafe class BatchCloner(CloneContext context, EntryCloner entries, CancellationToken cancellation)
{
    private readonly FileCloner _files = new(context);

    /// <summary>Clones what is in the batch, and leaves it empty.</summary>
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

    /// <summary>Lets go of the sources, removes what was made of files that are not whole, and empties the batch.</summary>
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
