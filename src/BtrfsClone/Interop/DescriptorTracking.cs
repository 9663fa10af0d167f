using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace BtrfsClone.Interop;

/// <summary>
/// Records who opened each open descriptor. It is used by Debug builds and the test run, which fail if one is left open. It starts
/// with the first call that opens something: the switch has to be set before that.
/// </summary>
internal static class DescriptorTracking
{
    /// <summary>The <see cref="AppContext"/> switch that enables it; in Debug builds it is always enabled.</summary>
    public const string Switch = "BtrfsClone.TrackDescriptors";

    private static readonly ConcurrentDictionary<int, Opener> s_openers = new();
    private static readonly bool s_isOn = Begin();

    /// <summary>
    /// Whether descriptors are tracked. If not, nothing of it is left in compiled code: the native program never tracks, and
    /// elsewhere the compiler knows the value of the field.
    /// </summary>
    public static bool IsOn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => RuntimeFeature.IsDynamicCodeSupported && s_isOn;
    }

    public static void Opened(Descriptor descriptor) =>
        s_openers[descriptor.Number] = new Opener(new StackTrace(skipFrames: 2, fNeedFileInfo: false), IsTold: false);

    /// <summary>Called before the kernel closes it: afterwards another thread may have got the same number.</summary>
    /// <exception cref="InvalidOperationException">It is not open, or its opener is not known here.</exception>
    public static void Closing(Descriptor descriptor)
    {
        if (!s_openers.TryRemove(descriptor.Number, out _))
        {
            throw new InvalidOperationException($"Descriptor {descriptor} is closed twice, or was never opened.");
        }
    }

    /// <summary>It is closed elsewhere, not through <see cref="Sys"/>.</summary>
    public static void Release(Descriptor descriptor) => s_openers.TryRemove(descriptor.Number, out _);

    /// <summary>
    /// The descriptors that are left open, each reported once, as text with the stack trace of its opener. An abandoned thread may
    /// be in the middle of a call with one: it gets some seconds to return.
    /// </summary>
    public static IReadOnlyList<string> TellLeftOpen()
    {
        SpinWait.SpinUntil(() => !s_openers.Any(open => !open.Value.IsTold), TimeSpan.FromSeconds(5));
        var left = new List<string>();
        foreach ((int number, Opener opener) in s_openers)
        {
            if (!opener.IsTold && s_openers.TryUpdate(number, opener with { IsTold = true }, opener))
            {
                left.Add($"descriptor {number}, opened\n{opener.Top()}");
            }
        }

        return left;
    }

    private static bool Begin()
    {
#if DEBUG
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            IReadOnlyList<string> left = TellLeftOpen();
            Debug.Assert(left.Count == 0, string.Join('\n', left));
        };
        const bool Usual = true;
#else
        const bool Usual = false;
#endif
        return AppContext.TryGetSwitch(Switch, out bool isOn) ? isOn : Usual;
    }

    private sealed record Opener(StackTrace Stack, bool IsTold)
    {
        private const int Frames = 12;

        public string Top() => string.Join('\n', Stack.ToString().Split('\n').Take(Frames));
    }
}
