namespace BtrfsClone.Benchmarks;

/// <summary>Why the bench cannot go on.</summary>
internal sealed class BenchException(string message) : Exception(message);
