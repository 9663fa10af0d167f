namespace BtrfsClone.Walking;

/// <summary>The threads that help the calling one, started when there is work for them.</summary>
/// <param name="most">The maximum number of threads.</param>
/// <param name="work">What each of them runs. It must not throw.</param>
internal sealed class HelperThreads(int most, ThreadStart work)
{
    private readonly List<Thread> _threads = [];
    private bool _noMore;

    /// <summary>The number of threads that were started.</summary>
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

    /// <summary>Starts as many as there may be.</summary>
    public void StartAll()
    {
        for (int i = 0; i < most; i++)
        {
            StartOne();
        }
    }

    /// <summary>Starts another thread, if the limit and the system permit it.</summary>
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
                // RLIMIT_NPROC, a cgroup's pids.max: the existing threads do all the work.
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
    /// Waits until all have ended, or until a timeout. No thread may be started any more. Returns whether all have ended.
    /// </summary>
    public bool Join(int milliseconds) => _threads.TrueForAll(thread => thread.Join(milliseconds));

    /// <summary>Waits until all have ended. No thread may be started any more.</summary>
    public void Join() => _threads.ForEach(thread => thread.Join());
}
