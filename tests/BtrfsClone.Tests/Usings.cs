global using Xunit;

// Nearly all tests work on one scratch filesystem, and what a test leaves open is found after each.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
