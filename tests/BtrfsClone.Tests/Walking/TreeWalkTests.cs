using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Walking;

/// <summary>
/// Whatever throws in a walk, on whichever thread: every node is finished once, every descriptor closed, every thread at its
/// end, and the caller gets that exception.
/// </summary>
[NoOpenDescriptors]
public sealed class TreeWalkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("btrfs-clone-walk-").FullName;
    private int _directories = 1;

    public TreeWalkTests() => Grow(_folder, new Random(5), depth: 0);

    /// <summary>Where a walk calls what is not its own.</summary>
    public enum Site
    {
        NewNode,
        NewBuffers,
        DisposeBuffers,
        Open,
        IsWanted,
        Visit,
        Finish,
        Unlisted,
        Pump,
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [CombinatorialSites]
    public void What_throws_reaches_the_caller_and_leaves_nothing_behind(Site site, int workers)
    {
        int thrown = 0;
        for (int at = 1; at <= 40; at += 1 + (at / 6))
        {
            var walk = new ThrowingWalk(workers, site, at);
            Exception? caught = Record.Exception(() => walk.Run(_folder));

            Assert.Same(walk.Thrown, caught);
            Assert.Equal(walk.Opened, walk.Finished);
            Assert.Equal(walk.BuffersMade, walk.BuffersDisposed);
            Assert.Equal(0, walk.Active);
            Assert.Empty(OpenBelow(_folder));
            thrown += caught is null ? 0 : 1;
            if (caught is null)
            {
                Assert.Equal(_directories, walk.Finished);
            }
        }

        // Where one worker does it all, no other thread's memory is asked for.
        bool isOfHelpers = site is Site.NewBuffers or Site.DisposeBuffers;
        Assert.True(thrown > 0 || (isOfHelpers && workers == 1), "Nothing has thrown.");
    }

    [Fact]
    public void Without_memory_for_more_workers_those_that_are_there_do_it_all()
    {
        var walk = new ThrowingWalk(4, Site.NewBuffers, at: 1, new OutOfMemoryException());
        walk.Run(_folder);

        Assert.NotNull(walk.Thrown);
        Assert.Equal(_directories, walk.Finished);
        Assert.Equal(walk.BuffersMade, walk.BuffersDisposed);
    }

    [Fact]
    public void A_directory_that_is_out_of_reach_is_told_once_and_not_finished()
    {
        // Only one may stay open. When the walk is at the bottom, the third of ten is moved: its ".." leads elsewhere.
        string top = Directory.CreateDirectory(Path.Combine(_folder, "chain")).FullName;
        string[] chain = [.. Enumerable.Range(0, 10).Select(i => Path.Combine(top, string.Join('/', Enumerable.Range(0, i + 1))))];
        Directory.CreateDirectory(chain[^1]);
        File.WriteAllText(Path.Combine(chain[^1], "bottom"), "");
        var walk = new ThrowingWalk(1, Site.Pump, at: int.MaxValue)
        {
            OnFile = () => Directory.Move(chain[2], Path.Combine(_folder, "moved")),
        };
        walk.Run(top);

        Assert.Equal(["1", "0", ""], walk.Lost);
        Assert.Equal(8, walk.Finished - walk.Lost.Count);
        Assert.Empty(OpenBelow(_folder));
    }

    private static List<string> OpenBelow(string folder) =>
    [
        .. Directory.GetFileSystemEntries("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "")
            .Where(target => target.StartsWith(folder, StringComparison.Ordinal)),
    ];

    private void Grow(string folder, Random random, int depth)
    {
        for (int i = random.Next(12); i > 0; i--)
        {
            File.WriteAllText(Path.Combine(folder, $"file{i}"), "");
        }

        for (int i = depth == 0 ? 6 : random.Next(4); i > 0 && depth < 6 && _directories < 50; i--)
        {
            _directories++;
            Grow(Directory.CreateDirectory(Path.Combine(folder, $"directory{i}")).FullName, random, depth + 1);
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class CombinatorialSitesAttribute : Xunit.Sdk.DataAttribute
    {
        public override IEnumerable<object[]> GetData(System.Reflection.MethodInfo testMethod) =>
            from site in Enum.GetValues<Site>()
            from workers in (int[])[1, 4]
            select new object[] { site, workers };
    }
}
