namespace BtrfsClone.Measuring;

/// <summary>An item whose references are gathered.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Set">Those of all items on its filesystem.</param>
internal sealed record ReclaimItem(int Number, ReclaimSet Set);
