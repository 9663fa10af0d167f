using System.Runtime.ExceptionServices;
using BtrfsClone.Walking;

namespace BtrfsClone.Finding;

/// <summary>
/// Brings files that a walk has found with the pieces that FIEMAP gives of them, for which each is opened. These calls take nearly
/// all of the time, so that several threads make them; what they bring is taken in the order of the files.
/// </summary>
/// <param name="collection">What takes it.</param>
/// <param name="trees">The trees of the search.</param>
/// <param name="context">The search.</param>
/// <param name="wanted">The files.</param>
/// <param name="lone">Which of them, by their places in that order, are not looked at.</param>
internal sealed class MapScan(Collection collection, FoundTrees trees, FindContext context, DistinctFiles wanted, FileMarks lone)
{
    private readonly object _reading = new();
    private readonly object _turns = new();
    private int _place;
    private int _parts;
    private int _turn;
    private ExceptionDispatchInfo? _error;

    /// <summary>Brings all files.</summary>
    public void Run()
    {
        long parts = wanted.Most / MapPart.MostFiles;
        var helpers = new HelperThreads((int)Math.Min(context.Workers - 1, parts), () => Work(() => { }));
        for (int i = 1; i < context.Workers; i++)
        {
            helpers.StartOne();
        }

        Work(Pump);
        while (!helpers.Join(EventPump.TickMilliseconds))
        {
            Try(Pump);
        }

        _error?.Throw();
    }

    private void Pump()
    {
        context.Progress.SetFiles(collection.Files.Count);
        context.Pump();
    }

    private void Work(Action pump) => Try(() =>
    {
        MapPart part = new(collection, trees, context.Report);
        while (TryStart(part))
        {
            part.Read(() => HandOn(part, pump));
            EndTurn();
            pump();
        }
    });

    /// <summary>Gives a thread the next files. False at their end.</summary>
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

    /// <summary>Has a part taken once all before it are.</summary>
    private void HandOn(MapPart part, Action pump)
    {
        while (!IsTurn(part.Number))
        {
            pump();
        }

        _error?.Throw();
        part.HandOn();
    }

    /// <summary>Waits for the turn of a part, an error, or some time. Returns whether there is nothing more to wait for.</summary>
    private bool IsTurn(int number)
    {
        lock (_turns)
        {
            if (_turn != number && _error is null)
            {
                Monitor.Wait(_turns, EventPump.TickMilliseconds);
            }

            return _turn == number || _error is not null;
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

    /// <summary>Whatever fails, on any thread, ends all, and is thrown once they have ended: the first one.</summary>
    private void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _error, ExceptionDispatchInfo.Capture(e), null);
        }
    }
}
