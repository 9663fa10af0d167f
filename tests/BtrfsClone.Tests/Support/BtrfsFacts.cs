namespace BtrfsClone.Tests.Support;

/// <summary>A fact about a real btrfs; skipped, with the reason, where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BtrfsFactAttribute : FactAttribute
{
    /// <summary>Commands that the test needs beside btrfs-progs, separated by spaces.</summary>
    public string Needs { get; set; } = "";

    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? TestMachine.NoBtrfs ?? TestMachine.Lacks(Needs);
        set => base.Skip = value;
    }
}

/// <summary>As <see cref="BtrfsFactAttribute"/>, for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BtrfsTheoryAttribute : TheoryAttribute
{
    /// <inheritdoc cref="BtrfsFactAttribute.Needs"/>
    public string Needs { get; set; } = "";

    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? TestMachine.NoBtrfs ?? TestMachine.Lacks(Needs);
        set => base.Skip = value;
    }
}

/// <summary>A fact that needs root and a file system of its own; skipped, with the reason, where it lacks them.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    /// <inheritdoc cref="BtrfsFactAttribute.Needs"/>
    public string Needs { get; set; } = "";

    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? TestMachine.NoRoot ?? TestMachine.Lacks(Needs);
        set => base.Skip = value;
    }
}

/// <summary>As <see cref="RootFactAttribute"/>, for a theory.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    /// <inheritdoc cref="BtrfsFactAttribute.Needs"/>
    public string Needs { get; set; } = "";

    /// <inheritdoc/>
    public override string? Skip
    {
        get => base.Skip ?? TestMachine.NoRoot ?? TestMachine.Lacks(Needs);
        set => base.Skip = value;
    }
}
