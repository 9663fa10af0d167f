namespace BtrfsClone.Tests.Support;

/// <summary>The tests on the scratch btrfs. None of them may leave a descriptor of the engine's open.</summary>
[CollectionDefinition(ScratchBtrfs.Name)]
[NoOpenDescriptors]
public sealed class BtrfsCollection : ICollectionFixture<ScratchBtrfs>;
