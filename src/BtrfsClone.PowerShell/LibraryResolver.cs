using System.Reflection;
using System.Runtime.Loader;

namespace BtrfsClone.PowerShell;

/// <summary>
/// Loads the engine's library into a context of its own: another module of the session may need another version of it, and the
/// default context holds one only. The engine itself stays there, since PowerShell finds types by name in no other context.
/// </summary>
internal static class LibraryResolver
{
    private const string Library = "System.IO.Hashing";

    private static readonly AssemblyLoadContext s_context = new("BtrfsClone");

    /// <summary>Handles <see cref="AssemblyLoadContext.Resolving"/> of the default context.</summary>
    public static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        if (name.Name != Library)
        {
            return null;
        }

        string path = Path.Combine(Path.GetDirectoryName(typeof(LibraryResolver).Assembly.Location)!, Library + ".dll");
        return AssemblyName.GetAssemblyName(path).FullName == name.FullName
            ? s_context.LoadFromAssemblyPath(path)
            : null;
    }
}
