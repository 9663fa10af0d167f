using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace BtrfsClone.Interop;

/// <summary>
/// Who opened each descriptor that is open. Debug builds and the test run keep it, and fail where one is left. It
/// begins with the first call that opens something: the switch is set before that.
/// </summary>
internal static class DescriptorTracking
{
    /// <summary>The switch of <see cref="AppContext"/> that turns it on; Debug builds have it on without.</summary>
    public const string Switch = "BtrfsClone.TrackDescriptors";

    private static readonly ConcurrentDictionary<int, Opener> s_openers = new();
    private static readonly bool s_isOn = Begin();

    /// <summary>
    /// Whether descriptors are tracked. Where it is off, compiled code has nothing left of it: the native program
    /// never tracks, and elsewhere the compiler knows the field's value.
    /// </summary>
    public static bool IsOn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => RuntimeFeature.IsDynamicCodeSupported && s_isOn;
    }

    public static void Opened(Descriptor descriptor) =>
        s_openers[descriptor.Number] = new Opener(new StackTrace(skipFrames: 2, fNeedFileInfo: false), IsTold: false);

    /// <summary>Called before the kernel closes it: afterwards another thread may have got the number.</summary>
    /// <exception cref="InvalidOperationException">It is not open, or whoever opened it is not known here.</exception>
    public static void Closing(Descriptor descriptor)
    {
        if (!s_openers.TryRemove(descriptor.Number, out _))
        {
            throw new InvalidOperationException($"Descriptor {descriptor} is closed twice, or was never opened.");
        }
    }

    /// <summary>Somebody else closes it, and not through <see cref="Sys"/>.</summary>
    public static void Release(Descriptor descriptor) => s_openers.TryRemove(descriptor.Number, out _);

    /// <summary>
    /// What is left open, each told once, as a text with the stack that opened it. A thread that was given up may be in
    /// the middle of a call with one: it is given some seconds to come back.
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
