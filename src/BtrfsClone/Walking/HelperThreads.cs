namespace BtrfsClone.Walking;

/// <summary>The threads that help the calling one, started as there is work for them.</summary>
/// <param name="most">How many there may be.</param>
/// <param name="work">What each of them does. It throws nothing.</param>
internal sealed class HelperThreads(int most, ThreadStart work)
{
    private readonly List<Thread> _threads = [];
    private bool _noMore;

    /// <summary>How many were started.</summary>
    public int Count
    {
        get
        {
            lock (_threads)
            {
                return _threads.Count;
            }
        }
    }

    /// <summary>Starts one more, if there may be one and the system gives it.</summary>
    public void StartOne()
    {
        lock (_threads)
        {
            if (_noMore || _threads.Count == most)
            {
                return;
            }

            var thread = new Thread(work) { IsBackground = true, Name = "btrfs-clone" };
            _threads.Add(thread);
            try
            {
                thread.Start();
            }
            catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
            {
                // RLIMIT_NPROC, a cgroup's pids.max: those that are there do it all.
                _threads.Remove(thread);
                _noMore = true;
            }
        }
    }

    /// <summary>Starts no more: there is no memory for what they need.</summary>
    public void Refuse()
    {
        lock (_threads)
        {
            _noMore = true;
        }
    }

    /// <summary>
    /// Waits until all have ended, or for some time. Nothing may start one any more. Returns whether all have ended.
    /// </summary>
    public bool Join(int milliseconds) => _threads.TrueForAll(thread => thread.Join(milliseconds));

    /// <summary>Waits until all have ended. Nothing may start one any more.</summary>
    public void Join() => _threads.ForEach(thread => thread.Join());
}
