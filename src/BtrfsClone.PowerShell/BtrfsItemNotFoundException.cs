using System.Management.Automation;

namespace BtrfsClone.PowerShell;

/// <summary>The exception for a missing item, which scripts can catch for all cmdlets, with the engine's failure inside.</summary>
/// <param name="failure">The failure.</param>
public sealed class BtrfsItemNotFoundException(BtrfsException failure) : ItemNotFoundException(failure.Message, failure)
{
    private ErrorRecord? _record;

    /// <summary>The error record of the exception: a script that catches it by type gets this one.</summary>
    public override ErrorRecord ErrorRecord => _record ?? base.ErrorRecord;

    /// <inheritdoc cref="BtrfsException.Error"/>
    public BtrfsError Error => failure.Error;

    /// <inheritdoc cref="BtrfsException.Path"/>
    public string Path => failure.Path;

    /// <inheritdoc cref="BtrfsException.Errno"/>
    public int Errno => failure.Errno;

    /// <inheritdoc cref="BtrfsException.Call"/>
    public string Call => failure.Call;

    /// <summary>Creates an error record from it.</summary>
    internal ErrorRecord ToRecord(string id, ErrorCategory category) => _record = new ErrorRecord(this, id, category, Path);
}
