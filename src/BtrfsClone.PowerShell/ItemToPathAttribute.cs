using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Takes objects given to a wildcard parameter for the very items they stand for: PowerShell would turn <c>a[1].txt</c>
/// into a pattern that this file does not match. These are <see cref="FileSystemInfo"/> objects, and all that have a property
/// with a path: those of this module, of Get-FileHash, Select-String and Import-Csv.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ItemToPathAttribute : ArgumentTransformationAttribute
{
    // By the very string that stands for the object from here on: the parameter that receives it holds nothing else.
    private static readonly ConditionalWeakTable<string, object> s_given = [];

    // The first that an object has.
    private static readonly string[] s_properties = ["PSPath", "LiteralPath", "LP", "Path"];

    /// <summary>The object that was given for an argument.</summary>
    /// <param name="argument">The value of the parameter, the same instance.</param>
    /// <returns>The object, or null where a path was given.</returns>
    public static object? Given(string argument) => s_given.TryGetValue(argument, out object? given) ? given : null;

    /// <summary>The path that an object stands for, or null where it stands for none. A string stands for itself.</summary>
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
            return null; // A property may be a script that fails.
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
            return value; // A line of Get-Content has properties, too.
        }

        string path = Escape(name);
        s_given.AddOrUpdate(path, given);
        return path;
    }

    private static object? Unwrap(object? value) => value is PSObject wrapper ? wrapper.BaseObject : value;

    // WildcardPattern.Escape leaves backticks alone before PowerShell 7.6, and Unescape would then drop them.
    private static string Escape(string path)
    {
        const string Special = "*?[]`";
        if (path.AsSpan().IndexOfAny(Special) < 0)
        {
            return new string(path); // The object may hold the string for longer, and for others.
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
