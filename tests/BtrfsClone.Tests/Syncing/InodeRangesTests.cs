using BtrfsClone.Syncing;

namespace BtrfsClone.Tests.Syncing;

/// <summary>
/// Numbers that threads share, under random schedules and without threads: each reader takes its steps in a random order. One
/// step reads some numbers, as a call of the kernel does, and the next one takes what came.
/// </summary>
public sealed class InodeRangesTests
{
    private const ulong First = 256;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Each_number_is_found_once_under_any_schedule(int readers)
    {
        for (int seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            ulong[] numbers = Numbers(random);
            var ranges = new InodeRanges(First, ulong.MaxValue);
            Reader[] all = [.. Enumerable.Range(0, readers).Select(_ => new Reader(ranges, numbers))];
            for (List<Reader> left = [.. all]; left.Count > 0;)
            {
                Reader reader = left[random.Next(left.Count)];
                if (!reader.Step(random.Next(1, 20)))
                {
                    left.Remove(reader);
                }
            }

            Assert.Equal(numbers, all.SelectMany(reader => reader.Found).Order());
        }
    }

    [Fact]
    public void A_second_reader_gets_half_of_the_work_wherever_that_is()
    {
        for (int shift = 0; shift < 40; shift++)
        {
            ulong start = First << shift;
            ulong[] numbers = [.. Enumerable.Range(0, 10_000).Select(i => start + (ulong)i)];
            var ranges = new InodeRanges(First, ulong.MaxValue);
            Reader[] both = [new(ranges, numbers), new(ranges, numbers)];
            while (both[0].Step(10) | both[1].Step(10))
            {
            }

            Assert.All(both, reader => Assert.InRange(reader.Found.Count, 4000, 6000));
        }
    }

    /// <summary>Numbers close together and far apart, with both ends among them at times.</summary>
    private static ulong[] Numbers(Random random)
    {
        var numbers = new SortedSet<ulong>();
        for (int i = random.Next(200); i > 0; i--)
        {
            ulong number = (ulong)random.NextInt64() >> random.Next(64);
            numbers.Add(random.Next(20) == 0 ? ulong.MaxValue : Math.Max(First, number));
        }

        return [.. numbers];
    }

    private sealed class Reader(InodeRanges ranges, ulong[] numbers)
    {
        private readonly List<ulong> _ofPart = [];
        private InodeRanges.Part? _part;
        private ulong[]? _read;
        private int _next;
        private ulong _last;
        private bool _isWhole = true;

        public List<ulong> Found { get; } = [];

        public bool Step(int count)
        {
            if (_read is not null)
            {
                Take(_read);
                _read = null;
            }
            else if (_isWhole)
            {
                Found.AddRange(_ofPart.Where(number => number <= _last));
                _ofPart.Clear();
                _part = ranges.Take(_part);
                if (_part is null)
                {
                    return false;
                }

                _last = _part.Last;
                _next = numbers.TakeWhile(number => number < _part.First).Count();
                _isWhole = false;
            }
            else
            {
                _read = [.. numbers.Skip(_next).Take(count).TakeWhile(number => number <= _last)];
                _isWhole = _read.Length < count;
            }

            return true;
        }

        private void Take(ulong[] read)
        {
            _ofPart.AddRange(read);
            _next += read.Length;
            _last = read.Length > 0 ? ranges.Reach(_part!, read[^1]) : _last;
            _isWhole |= _next == numbers.Length || numbers[_next] > _last;
        }
    }
}
