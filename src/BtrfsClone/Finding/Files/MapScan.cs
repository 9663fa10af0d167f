using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>
/// Reads the extents of the files found by the directory walk, using FIEMAP, for which each file is opened. These calls take nearly
/// all of the time, so several threads make them; their results are processed in the order of the files.
/// </summary>
/// <param name="collection">Receives the files and extents.</param>
/// <param name="trees">The trees of the search.</param>
/// <param name="context">The search.</param>
/// <param name="wanted">The files.</param>
/// <param name="lone">The files to skip, by their positions in that order.</param>
internal sealed class MapScan(Collection collection, FoundTrees trees, FindContext context, DistinctFiles wanted, FileMarks lone)
{
    private readonly object _reading = new();
    private readonly object _turns = new();
    private int _place;
    private int _parts;
    private int _turn;
    private readonly FirstError _error = new();

    /// <summary>Reads all files.</summary>
    public void Run()
    {
        long parts = wanted.Most / MapPart.MostFiles;
        var helpers = new HelperThreads((int)Math.Min(context.Workers - 1, parts), () => Work(() => { }));
        helpers.StartAll();
        Work(Pump);
        while (!helpers.Join(EventPump.TickMilliseconds))
        {
            _error.Try(Pump);
        }

        _error.Throw();
    }

    private void Pump()
    {
        context.Progress.SetFiles(collection.Files.Count);
        context.Pump();
    }

    private void Work(Action pump) => _error.Try(() =>
    {
        MapPart part = new(collection, trees, context.Report);
        while (TryStart(part))
        {
            part.Read(() => HandOn(part, pump));
            EndTurn();
            pump();
        }
    });

    /// <summary>Assigns the next files to a thread. Returns false when there are none.</summary>
    private bool TryStart(MapPart part)
    {
        lock (_reading)
        {
            part.Start(_parts++);
            while (part.Count < MapPart.MostFiles && wanted.Next(out WantedFile file))
            {
                if (!lone[_place++])
                {
                    part.Add(file, collection.Files.PathAt(file.Name));
                }
            }

            return part.Count > 0;
        }
    }

    /// <summary>Passes on a batch after all batches before it.</summary>
    private void HandOn(MapPart part, Action pump)
    {
        while (!IsTurn(part.Number))
        {
            pump();
        }

        _error.Throw();
        part.HandOn();
    }

    /// <summary>Waits for the turn of a batch, an error, or a timeout. Returns whether there is nothing more to wait for.</summary>
    private bool IsTurn(int number)
    {
        lock (_turns)
        {
            if (_turn != number && !_error.IsSet)
            {
                Monitor.Wait(_turns, EventPump.TickMilliseconds);
            }

            return _turn == number || _error.IsSet;
        }
    }

    private void EndTurn()
    {
        lock (_turns)
        {
            _turn++;
            Monitor.PulseAll(_turns);
        }
    }
}
