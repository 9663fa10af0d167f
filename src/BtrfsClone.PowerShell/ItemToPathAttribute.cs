using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Makes objects passed to a wildcard parameter refer to exactly the items that they represent: PowerShell would convert
/// <c>a[1].txt</c> to a pattern that does not match this file. These are <see cref="FileSystemInfo"/> objects, and all objects with
/// a path property: those of this module, of Get-FileHash, Select-String and Import-Csv.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ItemToPathAttribute : ArgumentTransformationAttribute
{
    // By the string instance that represents the object from here on: this is all that the parameter receives.
    private static readonly ConditionalWeakTable<string, object> s_given = [];

    // The first one that an object has is used.
    private static readonly string[] s_properties = ["PSPath", "LiteralPath", "LP", "Path"];

    /// <summary>The object that was passed for an argument.</summary>
    /// <param name="argument">The value of the parameter, the same instance.</param>
    /// <returns>The object, or null if a path was passed.</returns>
    public static object? Given(string argument) => s_given.TryGetValue(argument, out object? given) ? given : null;

    /// <summary>The path of an object, or null if it has none. A string represents itself.</summary>
    public static string? PathOf(PSObject value)
    {
        if (value.BaseObject is string or FileSystemInfo)
        {
            return value.BaseObject as string ?? ((FileSystemInfo)value.BaseObject).FullName;
        }

        try
        {
            return s_properties.Select(name => value.Properties[name]).FirstOrDefault(property => property is not null)?.Value as string;
        }
        catch (GetValueException)
        {
            return null; // A property may be a script that throws.
        }
    }

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        Unwrap(inputData) is object[] several ? Array.ConvertAll(several, Escaped) : Escaped(inputData);

    private static object? Escaped(object? value)
    {
        object? given = Unwrap(value);
        if (given is null or string || PathOf(PSObject.AsPSObject(value!)) is not { } name)
        {
            return value; // A line from Get-Content also has properties.
        }

        string path = Escape(name);
        s_given.AddOrUpdate(path, given);
        return path;
    }

    private static object? Unwrap(object? value) => value is PSObject wrapper ? wrapper.BaseObject : value;

    // Before PowerShell 7.6, WildcardPattern.Escape does not escape backticks, and Unescape would then remove them.
    private static string Escape(string path)
    {
        const string Special = "*?[]`";
        if (path.AsSpan().IndexOfAny(Special) < 0)
        {
            return new string(path); // The object may keep the string alive longer, and share it.
        }

        var escaped = new StringBuilder(path.Length + 8);
        foreach (char c in path)
        {
            if (Special.Contains(c, StringComparison.Ordinal))
            {
                escaped.Append('`');
            }

            escaped.Append(c);
        }

        return escaped.ToString();
    }
}
