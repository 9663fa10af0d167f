using BtrfsClone.Tests.Support;

namespace BtrfsClone.Hosted;

/// <summary>The tests on the scratch btrfs.</summary>
[CollectionDefinition(ScratchBtrfs.Name)]
public sealed class BtrfsCollection : ICollectionFixture<ScratchBtrfs>;
