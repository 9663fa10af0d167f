using System.Management.Automation;
using BtrfsClone.Cloning;

namespace BtrfsClone.PowerShell;

/// <content>
/// The destinations of items: one destination for all, or one for each item, given by a property or a script block.
/// </content>
public sealed partial class CopyBtrfsItemCommand
{
    // Directories created by items under new names: a later item must not be put into one just because it exists by then.
    private readonly HashSet<string> _madeDirectories = new(StringComparer.Ordinal);

    private bool _isOnePlace;
    private CloneDestination? _destination;
    private string _destinationPath = "";
    private string? _relativeBase;
    private (string Source, string Target) _last;

    /// <summary>Whether there is only one item, as far as the arguments show.</summary>
    private bool IsSingleItem => !MyInvocation.ExpectingInput &&
        (LiteralPath is [_] || (Path is [var path] && !WildcardPattern.ContainsWildcardCharacters(path)));

    private void BeginDestinations()
    {
        // Pipeline input is not bound yet.
        _isOnePlace = Destination.Length > 0;
        if (NoTargetDirectory && RelativeBasePath is not null)
        {
            ThrowTerminatingError(ErrorRecords.NotTogether(nameof(NoTargetDirectory), nameof(RelativeBasePath)));
        }

        if (!_isOnePlace)
        {
            if (RelativeBasePath is not null)
            {
                ThrowTerminatingError(ErrorRecords.NeedsOneDestination(nameof(RelativeBasePath)));
            }

            return;
        }

        if (NoTargetDirectory && !IsSingleItem)
        {
            ThrowTerminatingError(ErrorRecords.OneItemOnly(nameof(NoTargetDirectory)));
        }

        _destinationPath = SessionPath.Argument(this, Destination);
        _relativeBase = RelativeBasePath is null ? null : SessionPath.Argument(this, RelativeBasePath);
    }

    /// <summary>The destination of an item, or null if it has none and an error was written.</summary>
    private CloneDestination? FindDestination(ItemPath item, string source)
    {
        if (_isOnePlace)
        {
            if (_session!.Covers(source))
            {
                return PassOver(source);
            }

            CloneDestination place = _destination ??= ChooseDestination(item);
            return IsRepeated(item, source, place) ? PassOver(source) : place;
        }

        if (SessionPath.ResolveOne(this, Destination, literal: true, Report) is not { } path)
        {
            return null;
        }

        // An item cloned with a directory has made its destination a directory, but the same item must not be put into that again.
        if (_session!.Covers(source, CloneDestination.Exactly(path)))
        {
            return PassOver(source);
        }

        if (_madeDirectories.Contains(path) && !NoTargetDirectory)
        {
            throw new BtrfsException(BtrfsError.JustCreated, path);
        }

        CloneDestination own = NameOrDirectory(path);
        if (Atomic && !(_destination ??= own).IsBeside(own))
        {
            Report(ErrorRecords.SeveralDirectories(path));
            return null;
        }

        return _session.Covers(source, own) || IsRepeated(item, source, own) ? PassOver(source) : own;
    }

    /// <summary>A single item that was named explicitly may get a new name; all others go into a directory.</summary>
    private CloneDestination ChooseDestination(ItemPath first)
    {
        bool single = first.IsNamed && Path.Length + LiteralPath.Length == 1 && _relativeBase is null;
        return single ? NameOrDirectory(_destinationPath) : CloneDestination.Into(_destinationPath, _relativeBase);
    }

    private CloneDestination NameOrDirectory(string path)
    {
        string end = System.IO.Path.EndsInDirectorySeparator(Destination) ? "/" : "";
        return NoTargetDirectory ? CloneDestination.Exactly(path + end) : CloneDestination.Named(path + end);
    }

    /// <summary>Whether the previous object was for the same file: Select-String writes one for each line.</summary>
    private bool IsRepeated(ItemPath item, string source, CloneDestination destination) =>
        !item.IsNamed && _last.Source == source && _last.Target == destination.TargetOf(source);

    private CloneDestination? PassOver(string source)
    {
        WriteVerbose($"'{PathText.Printable(source)}' is part of what came before it.");
        return null;
    }

    private void Remember(CloneResult result)
    {
        _last = (result.Source, result.Path);
        if (!_isOnePlace && result.Kind == nameof(EntryKind.Directory))
        {
            _madeDirectories.Add(result.Path);
        }
    }
}
