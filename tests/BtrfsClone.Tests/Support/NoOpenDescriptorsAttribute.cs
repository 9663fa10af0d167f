using System.Reflection;
using BtrfsClone.Interop;
using Xunit.Sdk;

namespace BtrfsClone.Tests.Support;

/// <summary>Fails a test that leaves a descriptor open which the engine has opened, and tells what opened it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NoOpenDescriptorsAttribute : BeforeAfterTestAttribute
{
    public override void Before(MethodInfo methodUnderTest)
    {
        Assert.True(DescriptorTracking.IsOn, $"{DescriptorTracking.Switch} is off: no open descriptor would be found.");
        Check("Before this test");
    }

    public override void After(MethodInfo methodUnderTest) => Check("By this test");

    private static void Check(string when)
    {
        IReadOnlyList<string> left = DescriptorTracking.TellLeftOpen();
        Assert.True(left.Count == 0, $"{when}, {left.Count} left open: {string.Join("\n", left)}");
    }
}
