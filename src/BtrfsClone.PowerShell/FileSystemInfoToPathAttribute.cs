using System.Management.Automation;
using System.Text;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Takes <see cref="FileSystemInfo"/> objects given to a wildcard parameter for the very items they stand for:
/// PowerShell would turn <c>a[1].txt</c> into a pattern that this file does not match.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FileSystemInfoToPathAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object value = Unwrap(inputData);
        return value is object[] several ? Array.ConvertAll(several, Escaped) : Escaped(value);
    }

    private static object Escaped(object value) =>
        Unwrap(value) is FileSystemInfo info ? Escape(info.FullName) : value;

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
