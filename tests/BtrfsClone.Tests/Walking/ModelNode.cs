using System.Text;
using BtrfsClone.Interop;
using BtrfsClone.Walking;

namespace BtrfsClone.Tests.Walking;

/// <summary>A node that only says whether it is open, and watches how it is used.</summary>
internal sealed class ModelNode(WalkModel model) : WalkNode<ModelNode>
{
    private bool _isOpen;
    private bool _leadsUp;
    private bool _mayBeReopened;
    private bool _mayBeUsedAgain;

    public ModelDirectory Directory { get; private set; } = null!;

    public bool IsGivenBack { get; set; }

    public override bool IsOpen => _isOpen;

    public override Descriptor Descriptor => throw new InvalidOperationException("There is no filesystem.");

    public override bool LeadsUp => _leadsUp;

    public override bool MayBeReopened => _mayBeReopened;

    public override bool MayBeUsedAgain => _mayBeUsedAgain;

    public void Stand(ModelDirectory directory)
    {
        Directory = directory;
        IsGivenBack = false;
        _leadsUp = model.Random.Next(10) != 0;
        _mayBeReopened = model.Random.Next(20) != 0;
        _mayBeUsedAgain = model.Random.Next(5) != 0;
    }

    public void Open()
    {
        Assert.False(_isOpen);
        _isOpen = true;
    }

    public override void Begin(ModelNode parent, ReadOnlySpan<byte> name)
    {
        Assert.False(_isOpen);
        Assert.True(Directory is null || IsGivenBack || Directory.Removed == 1, "Somebody still uses the node.");
        model.ThrowSometimes();
        base.Begin(parent, name);
        string text = Encoding.UTF8.GetString(name);
        Stand(parent.Directory.Children.Single(child => child.Name == text));
    }

    public override void Close()
    {
        if (_isOpen && !IsGivenBack && Directory.Finished == 0)
        {
            Assert.True(model.MayBeClosed(this), "A node was closed that has to stay open.");
        }

        _isOpen = false;
    }

    protected override bool OpenAgain(ModelNode child)
    {
        Assert.False(_isOpen);
        Assert.True(child.IsOpen);
        Assert.True(child.LeadsUp);
        _isOpen = !model.Happens(model.LossRate);
        return _isOpen;
    }

    protected override bool ListOnAt(long offset)
    {
        Assert.Equal(Directory.Listed, offset);
        return !model.Happens(model.LossRate);
    }
}
