BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem follows symbolic links' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        $null = New-Item -ItemType Directory tree, outside, into
        Set-Content tree/f, outside/g content
        Invoke-Tool touch tree/empty outside/empty
        $null = New-Item -ItemType SymbolicLink -Path tree/lf -Target f
        $null = New-Item -ItemType SymbolicLink -Path tree/ld -Target ../outside
        $null = New-Item -ItemType SymbolicLink -Path link -Target tree
    }

    AfterEach {
        Pop-Location
    }

    It 'all with -FollowSymlink, as cp -L' {
        $result = Copy-BtrfsItem link clone -FollowSymlink -PassThru -ErrorAction Stop
        Invoke-Tool cp -aL --no-preserve=links link witness
        Compare-Tree "$PWD/witness" "$PWD/clone" | Should -BeNullOrEmpty
        $result.Kind, $result.Files, $result.SymbolicLinks | Should -Be 'Directory', 5, 0
        Invoke-Tool find clone -type l | Should -BeNullOrEmpty
    }

    It 'the items alone with -FollowNamedSymlink, as cp -H' {
        Copy-BtrfsItem link clone -FollowNamedSymlink -ErrorAction Stop
        Invoke-Tool cp -aH link witness
        Compare-Tree "$PWD/witness" "$PWD/clone" | Should -BeNullOrEmpty
        (Get-Item clone/lf).LinkTarget | Should -Be 'f'
    }

    It 'those that the pipeline brings, under their names' {
        Get-ChildItem tree | Copy-BtrfsItem -Destination into -FollowSymlink -Exclude lf -ErrorAction Stop
        Get-EntryName into | Should -Be 'empty', 'f', 'ld', 'ld/empty', 'ld/g'
        Get-ChildItem tree | Copy-BtrfsItem -Destination kept -RelativeBasePath . -FollowNamedSymlink -ErrorAction Stop
        Get-EntryName kept | Should -Be 'tree', 'tree/empty', 'tree/f', 'tree/ld', 'tree/ld/empty', 'tree/ld/g', 'tree/lf'
    }

    It 'but none that lead back' {
        $null = New-Item -ItemType SymbolicLink -Path outside/back -Target ../tree
        Copy-BtrfsItem tree clone -FollowSymlink -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -Be 'LinkCycle,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failures[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        $failures[0].TargetObject | Should -Be "$PWD/tree/ld/back"
        Get-EntryName clone | Should -Be 'empty', 'f', 'ld', 'ld/empty', 'ld/g', 'lf'
    }

    It 'but not beside <_>' -ForEach 'PointInTime', 'FollowNamedSymlink' {
        $other = @{ $_ = $true }
        { Copy-BtrfsItem tree clone -FollowSymlink @other -ErrorAction Stop } | Should -Throw -ErrorId 'ParametersNotTogether,*'
        Test-Path clone | Should -BeFalse
    }
}
