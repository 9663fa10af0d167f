BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    function Get-Flag([string[]] $Path) {
        $Path | ForEach-Object { (Invoke-Tool lsattr -d $_).Split(' ')[0] -replace '[^Ccm]' }
    }
}

Describe 'Copy-BtrfsItem stores clones otherwise' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        $null = New-Item -ItemType Directory tree, tree/images, nocow, packed
        Invoke-Tool chattr +C tree/images nocow
        Invoke-Tool btrfs property set packed compression zstd
        Set-Content tree/f ('content' * 10000)
        Set-Content tree/images/disk ('image' * 10000)
    }

    AfterEach {
        Pop-Location
    }

    It 'as NOCOW with -NoCow, and warns of what it had to copy' {
        $result = Copy-BtrfsItem tree clone -NoCow -Reflink Auto -PassThru -WarningVariable warnings -WarningAction SilentlyContinue
        Get-Flag clone, clone/f, clone/images, clone/images/disk | Should -Be 'C', 'C', 'C', 'C'
        $result.CopiedLength | Should -Be (Get-Item tree/f).Length
        $warnings | Should -Be "$($result.CopiedLength) bytes could not be shared and were copied. NOCOW files and copy-on-write files cannot share data."
        Test-BtrfsClone tree/images/disk clone/images/disk | Should -BeTrue
        (Get-FileHash clone/f).Hash | Should -Be (Get-FileHash tree/f).Hash
    }

    It 'but copies nothing that it was not told to' {
        Copy-BtrfsItem tree/f clone -NoCow -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -Be 'NoCowMismatch,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failures[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Reflink Auto*'
        Test-Path clone | Should -BeFalse
    }

    It 'as new files of the directory with -InheritProperty' {
        Get-Item tree | Copy-BtrfsItem -Destination nocow -InheritProperty -Reflink Auto -WarningAction SilentlyContinue -ErrorAction Stop
        Get-Flag nocow/tree, nocow/tree/f, nocow/tree/images/disk | Should -Be 'C', 'C', 'C'
        Copy-BtrfsItem tree packed -InheritProperty -Reflink Auto -WarningAction SilentlyContinue -ErrorAction Stop
        Get-Flag packed/tree, packed/tree/f, packed/tree/images/disk | Should -Be 'c', 'c', 'c'
        Test-BtrfsClone tree/f packed/tree/f | Should -BeTrue
    }

    It 'compressed as the directory with -Compression Inherit, and shares all' {
        Copy-BtrfsItem tree packed -Compression Inherit -ErrorAction Stop
        Get-Flag packed/tree, packed/tree/f, packed/tree/images/disk | Should -Be 'c', 'c', 'C'
        Test-BtrfsClone tree packed/tree | Should -BeTrue
    }

    It 'but not by two of these parameters: <_>' -ForEach @(
        @{ NoCow = $true; InheritProperty = $true }, @{ NoCow = $true; Compression = 'zstd' },
        @{ InheritProperty = $true; Compression = 'Inherit' }
    ) {
        $two = $_
        { Copy-BtrfsItem tree clone @two -ErrorAction Stop } | Should -Throw -ErrorId 'ParametersNotTogether,*'
        Test-Path clone | Should -BeFalse
    }
}
