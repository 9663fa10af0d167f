@{
    RootModule           = 'bin/BtrfsClone.PowerShell.dll'
    # The version of all that is built: Directory.Build.props reads it here.
    ModuleVersion        = '0.1.0'
    GUID                 = '6051b5b5-057a-4f91-b757-bd3ea1092b85'
    Author               = 'The BtrfsClone contributors'
    CompanyName          = 'The BtrfsClone contributors'
    Copyright            = 'Copyright (c) 2026 The BtrfsClone contributors'
    Description          = 'Clones files and directory trees on btrfs by sharing extents, shows the extents, and waits for delayed allocation.'
    CompatiblePSEditions = @('Core')
    PowerShellVersion    = '7.6'

    # Explicit lists let PowerShell find the commands without loading the module.
    CmdletsToExport      = @('Copy-BtrfsItem', 'Copy-BtrfsRange', 'Sync-BtrfsItem', 'Export-BtrfsItem', 'Export-BtrfsReport', 'Merge-BtrfsItem', 'Compare-BtrfsItem', 'Test-BtrfsClone', 'Get-BtrfsExtent', 'Get-BtrfsExtentOwner', 'Show-BtrfsExtentMap', 'Wait-BtrfsDelalloc', 'Measure-BtrfsItem', 'Optimize-BtrfsItem', 'Find-BtrfsDuplicate')
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()

    FormatsToProcess     = @('BtrfsClone.Format.ps1xml')

    FileList             = @(
        'BtrfsClone.psd1', 'BtrfsClone.Format.ps1xml', 'CHANGELOG.md', 'LICENSE', 'README.md'
        'bin/BtrfsClone.PowerShell.dll', 'bin/BtrfsClone.dll', 'bin/System.IO.Hashing.dll'
        'en-US/BtrfsClone.PowerShell.dll-Help.xml', 'en-US/about_BtrfsClone.help.txt'
        'en-US/about_BtrfsClone_Duplicates.help.txt', 'en-US/about_BtrfsClone_OtherFilesystems.help.txt'
        'en-US/about_BtrfsClone_Space.help.txt', 'en-US/about_BtrfsClone_Sync.help.txt'
    )

    PrivateData          = @{
        PSData = @{
            Tags         = @('btrfs', 'reflink', 'clone', 'extent', 'copy-on-write', 'filesystem', 'Linux', 'PSEdition_Core')
            LicenseUri   = 'https://opensource.org/license/mit'
            # Where publish.yml puts the site. The help pages that the cmdlets name are there.
            ProjectUri   = 'https://btrfsclone.github.io/BtrfsClone/'
            IconUri      = 'https://btrfsclone.github.io/BtrfsClone/icon.png'
            ReleaseNotes = 'https://btrfsclone.github.io/BtrfsClone/CHANGELOG.html'
            Prerelease   = ''
        }
    }
}
