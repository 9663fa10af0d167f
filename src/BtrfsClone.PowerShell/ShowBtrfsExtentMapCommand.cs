using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using BtrfsClone.Extents;

namespace BtrfsClone.PowerShell;

/// <summary>
/// <c>Show-BtrfsExtentMap</c>: draws what <c>Get-BtrfsExtent</c> gives, each file as one bar: what is shared, what is
/// the file's own, what is inline, preallocated, delayed, and what is a hole.
/// </summary>
[Cmdlet(VerbsCommon.Show, "BtrfsExtentMap", HelpUri = OnlineHelp.Uri)]
[OutputType(typeof(string))]
public sealed class ShowBtrfsExtentMapCommand : PSCmdlet
{
    private const int DefaultWidth = 80;

    private ExtentMap? _map;

    /// <summary>
    /// The pieces of one file after another, from <c>Get-BtrfsExtent</c>, a remote session, Import-Clixml or Import-Csv.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    /// <summary>The columns that a line may take; the console's width by default.</summary>
    [Parameter]
    [ValidateRange(20, 1000)]
    public int Width { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing() =>
        _map = new ExtentMap(Width > 0 ? Width : ConsoleWidth(), IsPlain());

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (TryRead(InputObject!, out MappedPiece piece))
        {
            WriteObject(_map!.Add(piece), enumerateCollection: true);
            return;
        }

        const string Advice = "Pipe what Get-BtrfsExtent writes.";
        WriteError(new ErrorRecord(
            new PSArgumentException($"'{InputObject}' is not an extent. {Advice}"),
            "NotAnExtent",
            ErrorCategory.InvalidType,
            InputObject)
        {
            ErrorDetails = new ErrorDetails($"'{InputObject}' is not an extent.") { RecommendedAction = Advice },
        });
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => WriteObject(_map!.End(), enumerateCollection: true);

    private static bool TryRead(PSObject input, out MappedPiece piece)
    {
        if (input.BaseObject is BtrfsExtent extent)
        {
            piece = MappedPiece.From(extent);
            return true;
        }

        // What a remote session, Import-Clixml, ConvertFrom-Json or Import-Csv made of one.
        bool isExtent = LanguagePrimitives.TryConvertTo(Property(input, nameof(BtrfsExtent.Offset)), out long offset) &
            LanguagePrimitives.TryConvertTo(Property(input, nameof(BtrfsExtent.Length)), out long length);
        string? path = Property(input, nameof(BtrfsExtent.Path)) as string;
        string? kind = Property(input, nameof(BtrfsExtent.Kind)) as string;
        bool isShared = Property(input, nameof(BtrfsExtent.IsShared)) switch
        {
            bool value => value,
            string text => bool.TryParse(text, out bool value) && value, // To PowerShell, the text False is true.
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

    /// <summary>Whether the session wants text without decoration, or its host could not show any.</summary>
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
