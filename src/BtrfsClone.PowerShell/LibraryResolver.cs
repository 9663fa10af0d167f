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

    private static AssemblyLoadContext? s_context;

    // Once for all copies of the module in one session: their assemblies have the same name.
    static LibraryResolver() => AssemblyLoadContext.Default.Resolving += Resolve;

    /// <summary>Starts resolving; the library is needed later than at import.</summary>
    public static void Start()
    {
    }

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        if (name.Name != Library)
        {
            return null;
        }

        string path = Path.Combine(Path.GetDirectoryName(typeof(LibraryResolver).Assembly.Location)!, Library + ".dll");
        return AssemblyName.GetAssemblyName(path).FullName == name.FullName
            ? (s_context ??= new AssemblyLoadContext("BtrfsClone")).LoadFromAssemblyPath(path)
            : null;
    }
}
