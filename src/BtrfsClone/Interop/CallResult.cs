using System.Runtime.CompilerServices;

namespace BtrfsClone.Interop;

/// <summary>
/// The result of a call: a count, or the errno with which it failed. It fits in one register, like the kernel's own result.
/// </summary>
internal readonly struct CallResult
{
    // A count, or a negative errno: the kernel's encoding.
    private readonly long _value;

    private CallResult(long value) => _value = value;

    /// <summary>A call that succeeded, with nothing to count.</summary>
    public static CallResult Success => default;

    public bool Failed
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _value < 0;
    }

    public bool Succeeded
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _value >= 0;
    }

    /// <summary>Why it failed; <see cref="Errno.None"/> if it did not.</summary>
    public Errno Error
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _value < 0 ? (Errno)(int)-_value : Errno.None;
    }

    /// <summary>The count that the call returned: mostly bytes. 0 if it failed.</summary>
    public long Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Max(_value, 0);
    }

    /// <summary>Whether it failed with this errno.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Is(Errno error) => _value == -(long)error;

    /// <summary>A count. It is not negative.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CallResult Count(long count) => new(Math.Max(count, 0));

    /// <summary>A failure.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator CallResult(Errno error) => new(-(long)error);

    /// <summary>For <see cref="Sys"/> only: a count, or a negative errno.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static CallResult FromKernel(long value) => new(value);

    public override string ToString() => Failed ? Error.ToString() : $"{_value}";
}
