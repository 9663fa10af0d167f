BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem -Compression' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        $null = New-Item -ItemType Directory tree
        Set-Content tree/f ('content' * 10000)
    }

    AfterEach {
        Pop-Location
    }

    It 'sets the property of files and directories, and shares their data' {
        Copy-BtrfsItem tree clone -Compression zstd:9 -ErrorAction Stop
        'clone', 'clone/f' | ForEach-Object { Invoke-Tool btrfs property get $_ compression } | Should -Be 'compression=zstd:9', 'compression=zstd:9'
        Test-BtrfsClone tree clone | Should -BeTrue
    }

    It 'refuses <_>' -ForEach 'zstd:99', 'gzip' {
        { Copy-BtrfsItem tree clone -Compression $_ -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidCompression,*'
        Test-Path clone | Should -BeFalse
    }
}
