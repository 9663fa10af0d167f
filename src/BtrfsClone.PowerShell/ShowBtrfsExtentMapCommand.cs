using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using BtrfsClone.Extents;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Show-BtrfsExtentMap</c>: draws each file as one bar: which parts are shared, exclusive, inline, preallocated, delayed, or
/// holes. Accepts files, and output of <c>Get-BtrfsExtent</c>.
/// </summary>
[Cmdlet(VerbsCommon.Show, "BtrfsExtentMap", DefaultParameterSetName = PathSet, HelpUri = OnlineHelp.Pages + "Show-BtrfsExtentMap.html")]
[OutputType(typeof(string))]
public sealed class ShowBtrfsExtentMapCommand : StoppableCmdlet
{
    private const int DefaultWidth = 80;
    private const string InputObjectSet = "InputObject";

    private ExtentMap? _map;
    private ExtentItems? _items;

    /// <summary>
    /// The files, with wildcards, and directories with the files in them; by default the current location. As in PowerShell's own
    /// cmdlets, a wildcard does not match names that begin with a dot.
    /// </summary>
    [Parameter(Position = 0, ParameterSetName = PathSet)]
    [ItemToPath]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The files and directories. The paths are used literally.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath", "LP")]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>
    /// The file extents of one file after another, from <c>Get-BtrfsExtent</c>, a remote session, Import-Clixml or Import-Csv; or
    /// an object that represents a file.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = InputObjectSet)]
    [ArgumentCompleter(typeof(ObjectCompleter))]
    public PSObject? InputObject { get; set; }

    /// <summary>Draws all files below directories.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>Skips other filesystems that are mounted below directories. Nested subvolumes count as part of the filesystem.</summary>
    [Parameter]
    public SwitchParameter OneFileSystem { get; set; }

    /// <summary>The maximum number of columns of a line; by default the console's width.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(WidthCompleter))]
    [ValidateRange(20, 1000)]
    public int Width { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _map = new ExtentMap(Width > 0 ? Width : ConsoleWidth(), IsPlain());
        var reader = new ExtentReader(new ExtentReaderOptions { IncludeHole = true });
        _items = new ExtentItems(
            reader, directories: true, Recurse, OneFileSystem, WarnOfMounts(OneFileSystem), WriteVerbose);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        switch (ParameterSetName)
        {
            case PathSet:
                Draw(Path.Length == 0 ? SessionPath.Here : Path, literal: false);
                break;
            case LiteralPathSet:
                Draw(LiteralPath, literal: true);
                break;
            default:
                Draw(InputObject!);
                break;
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => WriteObject(_map!.End(), enumerateCollection: true);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _items?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Draw(PSObject input)
    {
        if (TryRead(input, out MappedPiece piece))
        {
            WriteObject(_map!.Add(piece), enumerateCollection: true);
            return;
        }

        bool isPiece = input.Properties[nameof(BtrfsExtent.Offset)] is not null;
        if (!isPiece && ItemToPathAttribute.PathOf(input) is { } path)
        {
            Draw([path], literal: input.BaseObject is not string);
            return;
        }

        const string Advice = "Pipe files, or what Get-BtrfsExtent writes.";
        Report(new ErrorRecord(
            new PSArgumentException($"'{input}' is not an extent. {Advice}"), "NotAnExtent", ErrorCategory.InvalidType, input)
        {
            ErrorDetails = new ErrorDetails($"'{input}' is not an extent.") { RecommendedAction = Advice },
        });
    }

    private void Draw(string[] paths, bool literal)
    {
        foreach (ItemPath item in paths.SelectMany(path => SessionPath.Resolve(this, path, literal, Report)))
        {
            if (IsStopping)
            {
                return;
            }

            Attempt(() => Draw(item));
        }
    }

    private void Draw(ItemPath item)
    {
        try
        {
            foreach (BtrfsExtent extent in _items!.Read(item, WriteFailure, Cancellation))
            {
                WriteObject(_map!.Add(MappedPiece.From(extent)), enumerateCollection: true);
            }
        }
        catch (BtrfsException failure) when (failure.Error == BtrfsError.NotRegularFile && !item.IsNamed)
        {
            TellPassedOver(item.FullName, "not a regular file");
        }
    }

    private static bool TryRead(PSObject input, out MappedPiece piece)
    {
        if (input.BaseObject is BtrfsExtent extent)
        {
            piece = MappedPiece.From(extent);
            return true;
        }

        // What a remote session, Import-Clixml, ConvertFrom-Json or Import-Csv has converted one to.
        bool isExtent = LanguagePrimitives.TryConvertTo(Property(input, nameof(BtrfsExtent.Offset)), out long offset) &
            LanguagePrimitives.TryConvertTo(Property(input, nameof(BtrfsExtent.Length)), out long length);
        string? path = Property(input, nameof(BtrfsExtent.Path)) as string;
        string? kind = Property(input, nameof(BtrfsExtent.Kind)) as string;
        bool isShared = Property(input, nameof(BtrfsExtent.IsShared)) switch
        {
            bool value => value,
            string text => bool.TryParse(text, out bool value) && value, // For PowerShell, the text False is true.
            _ => false,
        };
        piece = new MappedPiece(path ?? "", offset, length, MappedPiece.ClassOf(kind ?? "", isShared));
        return isExtent && path is not null && kind is not null && offset >= 0 && length > 0 &&
            length <= long.MaxValue - offset;
    }

    private static object? Property(PSObject input, string name) => input.Properties[name]?.Value switch
    {
        PSObject wrapped => wrapped.BaseObject,
        var value => value,
    };

    private int ConsoleWidth()
    {
        try
        {
            int width = Host.UI.RawUI.BufferSize.Width;
            return width >= 20 ? Math.Min(width, 1000) : DefaultWidth;
        }
        catch (HostException)
        {
            return DefaultWidth;
        }
        catch (NotImplementedException)
        {
            return DefaultWidth;
        }
    }

    /// <summary>Whether the session requests text without decoration, or its host could not show any.</summary>
    private bool IsPlain()
    {
        object? rendering = GetVariableValue("PSStyle") is object style
            ? PSObject.AsPSObject(style).Properties["OutputRendering"]?.Value
            : null;
        return Convert.ToString(rendering, CultureInfo.InvariantCulture) == "PlainText" ||
            !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) ||
            !Host.UI.SupportsVirtualTerminal;
    }
}
