namespace BtrfsClone.Measuring;

/// <summary>An item whose references are collected.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Set">The references of all items on its filesystem.</param>
internal sealed record ReclaimItem(int Number, ReclaimSet Set);
