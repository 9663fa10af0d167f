using BtrfsClone.Finding;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Finding;

/// <summary>Searches of random trees, held against a witness that compares every block with every other.</summary>
[Collection(ScratchBtrfs.Name)]
public sealed class RandomFindTests(ScratchBtrfs btrfs)
{
    private const string Tools = DuplicateWitness.Tools + " " + RandomDuplicates.Tools;

    [RootTheory(Needs = Tools)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void All_equal_data_is_found_and_none_is_invented(int seed)
    {
        int rounds = TestMachine.IsThorough ? 60 : 6;
        for (int i = 0; i < rounds; i++)
        {
            int own = (seed * 1000) + i;
            Random random = new(own);
            string folder = Path.Combine(btrfs.NewFolder(), "tree");
            if (random.Next(2) == 0)
            {
                Shell.Check("btrfs", "subvolume", "create", folder);
            }
            else
            {
                Directory.CreateDirectory(folder);
            }

            RandomDuplicates tree = new(random, folder);
            tree.Make();
            Shell.Check("sync", "--file-system", folder);
            DuplicateWitness witness = new(tree.Files);
            foreach (DuplicateSource source in Enum.GetValues<DuplicateSource>())
            {
                try
                {
                    List<BtrfsDuplicate> groups = Finder.Find(new FindOptions { Source = source }, folder);
                    Assert.Equal(
                        groups.Where(group => group.Kind == nameof(DuplicateKind.File)).Select(group => Finder.Text(group, folder)).Order(),
                        Finder.Find(new FindOptions { Source = source, FileOnly = true }, folder)
                            .Select(group => Finder.Text(group, folder)).Order());
                    witness.Check(
                        groups,
                        seesCompressed: source == DuplicateSource.Content,
                        seesNoCow: source != DuplicateSource.Checksum);
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"Seed {own}, {source}: {folder}: {e.Message}", e);
                }
            }
        }
    }
}
