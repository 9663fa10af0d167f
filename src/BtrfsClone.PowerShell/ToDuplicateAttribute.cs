using System.Collections;
using System.Management.Automation;
using BtrfsClone.Finding;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Accepts a deserialized <see cref="BtrfsDuplicate"/> from a file or another session: an object with the properties of it that
/// merging needs.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ToDuplicateAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        PSObject wrapped = PSObject.AsPSObject(inputData);
        if (wrapped.BaseObject is BtrfsDuplicate || wrapped.Properties["Places"]?.Value is not object places ||
            wrapped.Properties["Length"]?.Value is not object length)
        {
            return inputData;
        }

        DuplicatePlace[] converted = [.. Enumerate(places).Select(ToPlace)];
        return new BtrfsDuplicate(
            Value(wrapped, "Kind", DuplicateKind.Range).ToString(),
            LanguagePrimitives.ConvertTo<long>(length),
            Value<int>(wrapped, "Count", converted.Length),
            Value<long>(wrapped, "ReclaimableLength", 0),
            converted);
    }

    private static IEnumerable<object> Enumerate(object places) =>
        (places is PSObject wrapped ? wrapped.BaseObject : places) is IEnumerable several and not string
            ? several.Cast<object>()
            : [places];

    private static DuplicatePlace ToPlace(object place)
    {
        PSObject wrapped = PSObject.AsPSObject(place);
        return new DuplicatePlace(Value(wrapped, "Path", ""), Value<long>(wrapped, "Offset", 0));
    }

    private static T Value<T>(PSObject from, string name, T missing) =>
        from.Properties[name]?.Value is object value ? LanguagePrimitives.ConvertTo<T>(value) : missing;
}
