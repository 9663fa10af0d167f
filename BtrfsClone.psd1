@{
    RootModule           = 'bin/BtrfsClone.PowerShell.dll'
    ModuleVersion        = '0.1.0'
    GUID                 = '6051b5b5-057a-4f91-b757-bd3ea1092b85'
    Author               = 'The BtrfsClone contributors'
    CompanyName          = 'The BtrfsClone contributors'
    Copyright            = 'Copyright (c) 2026 The BtrfsClone contributors'
    Description          = 'Clones files and directory trees on btrfs by sharing extents, shows the extents, and waits for delayed allocation.'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.4'

    # Explicit lists let PowerShell find the commands without loading the module.
    CmdletsToExport      = @('Copy-BtrfsItem', 'Copy-BtrfsRange', 'Sync-BtrfsItem', 'Merge-BtrfsItem', 'Compare-BtrfsItem', 'Test-BtrfsClone', 'Get-BtrfsExtent', 'Get-BtrfsExtentOwner', 'Show-BtrfsExtentMap', 'Wait-BtrfsDelalloc', 'Measure-BtrfsItem', 'Find-BtrfsDuplicate')
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()

    FormatsToProcess     = @('BtrfsClone.Format.ps1xml')

    PrivateData          = @{
        PSData = @{
            Tags       = @('btrfs', 'reflink', 'clone', 'extent', 'copy-on-write', 'filesystem', 'Linux', 'PSEdition_Core')
            LicenseUri = 'https://opensource.org/license/mit'
        }
    }
}
