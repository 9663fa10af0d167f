using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace BtrfsClone.Architecture;

/// <summary>
/// Which source files of an assembly know which, read out of the compiled code: its types, members and instructions, and
/// the files that its symbols name. Numbers that the compiler has put in place of constants leave no trace.
/// </summary>
public sealed partial class SourceGraph
{
    private readonly string _folder;
    private readonly SortedDictionary<string, SortedSet<string>> _arrows = new(StringComparer.Ordinal);
    private readonly Dictionary<TypeDefinition, string?> _homes = [];

    private SourceGraph(string folder) => _folder = folder;

    /// <summary>Files, relative to the source folder, and the files that each of them knows.</summary>
    public IReadOnlyDictionary<string, SortedSet<string>> Files => _arrows;

    /// <summary>Folders and the folders that each of them knows. The source folder itself is the empty one.</summary>
    public SortedDictionary<string, SortedSet<string>> Folders
    {
        get
        {
            SortedDictionary<string, SortedSet<string>> folders = new(StringComparer.Ordinal);
            foreach ((string file, SortedSet<string> known) in _arrows)
            {
                if (!folders.TryGetValue(FolderOf(file), out SortedSet<string>? found))
                {
                    folders.Add(FolderOf(file), found = new(StringComparer.Ordinal));
                }

                found.UnionWith(known.Select(FolderOf).Where(folder => folder != FolderOf(file)));
            }

            return folders;
        }
    }

    /// <summary>Reads an assembly that has its symbols beside it.</summary>
    /// <param name="assembly">The assembly's path.</param>
    /// <param name="folder">The folder of its sources.</param>
    public static SourceGraph Read(string assembly, string folder)
    {
        using AssemblyDefinition read = AssemblyDefinition.ReadAssembly(assembly, new ReaderParameters { ReadSymbols = true });
        SourceGraph graph = new(folder);
        foreach (TypeDefinition type in read.MainModule.GetTypes())
        {
            graph.Add(type);
        }

        return graph;
    }

    /// <summary>The cycles of more than one node: sets in which each node is reached from each other one.</summary>
    public static List<string[]> Cycles(IReadOnlyDictionary<string, SortedSet<string>> arrows)
    {
        Dictionary<string, HashSet<string>> reached = arrows.Keys.ToDictionary(node => node, node => Reach(node, arrows));
        return
        [
            .. arrows.Keys.Where(node => reached[node].Contains(node))
                .GroupBy(node => reached[node].Where(other => reached[other].Contains(node)).Min(StringComparer.Ordinal)!)
                .Select(cycle => cycle.Order(StringComparer.Ordinal).ToArray()),
        ];
    }

    /// <summary>The cycles among the files of one folder.</summary>
    public IEnumerable<string[]> CyclesInside(string folder) => Cycles(_arrows
        .Where(file => FolderOf(file.Key) == folder)
        .ToDictionary(
            file => file.Key,
            file => new SortedSet<string>(file.Value.Where(known => FolderOf(known) == folder), StringComparer.Ordinal)));

    public static string FolderOf(string file) => Path.GetDirectoryName(file)!.Replace('\\', '/');

    private static HashSet<string> Reach(string from, IReadOnlyDictionary<string, SortedSet<string>> arrows)
    {
        HashSet<string> seen = [];
        Stack<string> open = new([from]);
        while (open.TryPop(out string? node))
        {
            foreach (string next in arrows.GetValueOrDefault(node) ?? [])
            {
                if (seen.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        return seen;
    }

    private void Add(TypeDefinition type)
    {
        if (HomeOf(type) is { } home)
        {
            Add(home, [type.BaseType, .. type.Interfaces.Select(i => i.InterfaceType), .. type.Fields.Select(f => f.FieldType)]);
            Add(home, type.CustomAttributes.Select(a => a.AttributeType));
        }

        foreach (MethodDefinition method in type.Methods)
        {
            // What is generated for a call of the C library belongs to the file that declares it, and that has its types too.
            if (IsGenerated(method) || (FileOf(method) ?? HomeOf(type)) is not { } file)
            {
                continue;
            }

            Add(file, [method.ReturnType, .. method.Parameters.Select(p => p.ParameterType)]);
            if (method.HasBody)
            {
                Add(file, method.Body.Variables.Select(v => v.VariableType));
                foreach (object? operand in method.Body.Instructions.Select(i => i.Operand))
                {
                    AddOperand(file, operand);
                }
            }
        }
    }

    private void AddOperand(string file, object? operand)
    {
        switch (operand)
        {
            case MethodReference method:
                Add(file, [.. (method as GenericInstanceMethod)?.GenericArguments ?? []]);
                Add(file, method.DeclaringType is GenericInstanceType ? [method.DeclaringType] : []);
                MethodDefinition? definition = IsOurs(method.DeclaringType) ? method.Resolve() : null;
                AddArrow(file, definition is null ? null : FileOf(definition) ?? HomeOf(definition.DeclaringType));
                break;
            case FieldReference field:
                Add(file, [field.DeclaringType]);
                break;
            case TypeReference type:
                Add(file, [type]);
                break;
        }
    }

    private void Add(string file, IEnumerable<TypeReference?> types)
    {
        foreach (TypeReference? type in types)
        {
            switch (type)
            {
                case null:
                    break;
                case GenericInstanceType generic:
                    Add(file, [generic.ElementType, .. generic.GenericArguments]);
                    break;
                case TypeSpecification specification:
                    Add(file, [specification.ElementType]);
                    break;
                case not GenericParameter when IsOurs(type):
                    AddArrow(file, type.Resolve() is { } definition ? HomeOf(definition) : null);
                    break;
            }
        }
    }

    private void AddArrow(string file, string? known)
    {
        if (!_arrows.TryGetValue(file, out SortedSet<string>? all))
        {
            _arrows.Add(file, all = new(StringComparer.Ordinal));
        }

        if (known is not null && known != file)
        {
            all.Add(known);
        }
    }

    private static bool IsOurs(TypeReference type) => type.GetElementType().Scope is ModuleDefinition;

    /// <summary>The file that declares a type; of a type with several, one of its own name.</summary>
    private string? HomeOf(TypeDefinition type)
    {
        while (type.DeclaringType is not null)
        {
            type = type.DeclaringType;
        }

        if (!_homes.TryGetValue(type, out string? home))
        {
            string[] files = [.. type.Methods.Select(FileOf).OfType<string>().Distinct()];
            string name = type.Name.Split('`')[0];
            home = files.FirstOrDefault(file => Path.GetFileNameWithoutExtension(file) == name)
                ?? Declaring(name).FirstOrDefault(file => Path.GetFileNameWithoutExtension(file) == name)
                ?? files.FirstOrDefault()
                ?? Declaring(name).FirstOrDefault();
            _homes.Add(type, home);
        }

        return home;
    }

    /// <summary>The files with a declaration of that name, for types that have no code.</summary>
    private IEnumerable<string> Declaring(string name) => SourceFiles.In(_folder)
        .Where(file => Declaration().Matches(File.ReadAllText(Path.Combine(_folder, file))).Any(m => m.Groups["name"].Value == name));

    private bool IsGenerated(MethodDefinition method) => method.IsPInvokeImpl ||
        PathOf(method)?.StartsWith("obj/", StringComparison.Ordinal) == true;

    private string? FileOf(MethodDefinition method)
    {
        string? file = PathOf(method);
        bool isOurs = file?.StartsWith("obj/", StringComparison.Ordinal) == false && !file.StartsWith("..", StringComparison.Ordinal);
        return isOurs ? file : null;
    }

    private string? PathOf(MethodDefinition method) =>
        method.DebugInformation.SequencePoints.FirstOrDefault(p => !p.IsHidden)?.Document.Url is { } path
            ? Path.GetRelativePath(_folder, path)
            : null;

    [GeneratedRegex(@"^\s*(?!//)[\w ]*\b(?:class|struct|enum|interface|record|delegate [\w<>?]+) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
