using System.Reflection;
using System.Runtime.Loader;

namespace BtrfsClone.LoadContext;

/// <summary>
/// Contains the engine and the library that it needs. Another module of the session may need another version of that library:
/// neither of them finds the other's.
/// </summary>
internal sealed class EngineContext() : AssemblyLoadContext("BtrfsClone")
{
    private static readonly string s_folder = Path.GetDirectoryName(typeof(EngineContext).Assembly.Location)!;

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        // An assembly that does not exist here belongs to .NET.
        string path = Path.Combine(s_folder, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
