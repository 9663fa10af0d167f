using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Takes <see cref="FileSystemInfo"/> objects given to a wildcard parameter for the very items they stand for:
/// PowerShell would turn <c>a[1].txt</c> into a pattern that this file does not match.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileSystemInfoToPathAttribute : ArgumentTransformationAttribute
{
    // By the very string that stands for the object from here on: the parameter that receives it holds nothing else.
    private static readonly ConditionalWeakTable<string, FileSystemInfo> s_given = [];

    /// <summary>The object that was given for an argument.</summary>
    /// <param name="argument">The value of the parameter, the same instance.</param>
    /// <returns>The object, or null where a path was given.</returns>
    public static FileSystemInfo? Given(string argument) => s_given.TryGetValue(argument, out var info) ? info : null;

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object value = Unwrap(inputData);
        return value is object[] several ? Array.ConvertAll(several, Escaped) : Escaped(value);
    }

    private static object Escaped(object value)
    {
        if (Unwrap(value) is not FileSystemInfo info)
        {
            return value;
        }

        string path = Escape(info.FullName);
        s_given.AddOrUpdate(path, info);
        return path;
    }

    private static object Unwrap(object value) => value is PSObject wrapper ? wrapper.BaseObject : value;

    // WildcardPattern.Escape leaves backticks alone before PowerShell 7.6, and Unescape would then drop them.
    private static string Escape(string path)
    {
        const string Special = "*?[]`";
        if (path.AsSpan().IndexOfAny(Special) < 0)
        {
            return path;
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
