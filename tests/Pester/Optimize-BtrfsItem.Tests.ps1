BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Optimize-BtrfsItem' -Skip:(-not $root) {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory tree
        New-OneExtentFile tree/a 400KB
        Invoke-Tool cp -a --reflink=always tree/a clone
        foreach ($file in 'tree/a', 'clone') {
            Invoke-Tool fallocate --punch-hole --offset 40960 --length 81920 $file
        }

        Invoke-Tool sync -f $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'gives back what nobody can reach, and keeps files, times and sharing' {
        $before = Invoke-Tool stat -c '%n %i %s %x %y %z' tree/a clone
        $digests = Invoke-Tool sha256sum tree/a clone
        $result = Optimize-BtrfsItem tree
        $result | Should -BeOfType BtrfsClone.Optimizing.OptimizeResult
        $result.Path | Should -Be "$folder/tree"
        $result.ExtentsReplaced, $result.GainedLength, $result.WrittenLength, $result.LeftLength, $result.Failed |
            Should -Be 1, 81920, 327680, 0, 0
        Invoke-Tool sha256sum tree/a clone | Should -Be $digests
        # sha256sum may leave an access time.
        (Invoke-Tool stat -c '%n %i %s %y %z' tree/a clone) | Should -Be ($before -replace '^(\S+ \d+ \d+) \S+ \S+ \S+', '$1')
        $extents = 'tree/a', 'clone' | ForEach-Object { @(Get-BtrfsExtent $_).DiskOffset -join ' ' }
        $extents[0] | Should -Be $extents[1]
        (Get-BtrfsExtent clone).DiskLength | Select-Object -Unique | Should -Be 327680
        (Optimize-BtrfsItem tree, clone).ExtentsReplaced | Should -Be 0, 0
    }

    It 'tells with -WhatIf what it would give back, and does nothing' {
        $extents = Get-BtrfsExtent clone | ConvertTo-Json
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Optimize-BtrfsItem '$folder/tree' -WhatIf"
        $said | Should -Be "What if: Performing the operation ""Optimize, which replaces 1 extent by 1 and gives back 81920 bytes"" on target ""$folder/tree""."
        Get-BtrfsExtent clone | ConvertTo-Json | Should -Be $extents
    }

    It 'replaces what gives back enough, at a rate' {
        (Optimize-BtrfsItem tree/a -MinimumGain 81921).ExtentsReplaced | Should -Be 0
        $result = Get-Item tree/a | Optimize-BtrfsItem -MinimumGain 80KB -MaximumRate 200KB
        $result.GainedLength | Should -Be 81920
        $result.Elapsed.TotalSeconds | Should -BeGreaterThan 1
        { Optimize-BtrfsItem tree -MinimumGain 0 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        { Optimize-BtrfsItem tree -MaximumRate -1 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'joins fragments, for the clone as well' {
        foreach ($i in 19..0) {
            Invoke-Tool dd if=/dev/urandom of=tree/small bs=4096 seek=$i count=1 'conv=notrunc,fsync' status=none
        }
        Invoke-Tool cp --reflink=always tree/small small-clone
        (Optimize-BtrfsItem tree/small -TargetExtentSize 0).ExtentsReplaced | Should -Be 0
        (Optimize-BtrfsItem tree/small -TargetExtentSize 4KB).ExtentsReplaced | Should -Be 0
        $result = Optimize-BtrfsItem tree/small
        $result.ExtentsReplaced, $result.ExtentsLeft, $result.GainedLength | Should -Be 20, 0, 0
        $result.ExtentsWritten | Should -BeLessThan 5
        Invoke-Tool filefrag tree/small small-clone | Should -Match ': [1-4] extents? found'
        Test-BtrfsClone tree/small small-clone | Should -BeTrue
        { Optimize-BtrfsItem tree -TargetExtentSize -1 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'counts what a read-only snapshot holds' {
        Invoke-Tool btrfs subvolume create sub
        Invoke-Tool cp --reflink=always clone sub/file
        Invoke-Tool btrfs subvolume snapshot -r sub snap
        $result = Optimize-BtrfsItem tree
        $result.ExtentsReplaced, $result.GainedLength, $result.LeftLength | Should -Be 0, 0, 81920
        Invoke-Tool btrfs subvolume delete snap
        Invoke-Tool btrfs subvolume sync .
        (Optimize-BtrfsItem tree).GainedLength | Should -Be 81920
    }

    It 'writes objects that survive a file, and that other cmdlets take' {
        $result = Optimize-BtrfsItem tree
        $result | Export-Clixml result.xml
        $restored = Import-Clixml result.xml
        $restored.GainedLength | Should -Be 81920
        ($restored | Measure-BtrfsItem).Path | Should -Be "$folder/tree"
        ($result | Get-Item).FullName | Should -Be "$folder/tree"
        ($result | ConvertTo-Json | ConvertFrom-Json).WrittenLength | Should -Be 327680
        $result | Out-String -Width 80 | Should -Match '(?m)^ +1 +1 +80 KiB +320 KiB +0 B tree\s*$'
    }

    It 'goes on after an item that failed' {
        $result = 'missing', 'tree' | Optimize-BtrfsItem -ErrorVariable failures -ErrorAction SilentlyContinue
        $result.ExtentsReplaced | Should -Be 1
        $failures.FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
        { Optimize-BtrfsItem /dev/null -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
        { Optimize-BtrfsItem /dev/shm -ErrorAction Stop } | Should -Throw -ErrorId 'NotBtrfs,*'
    }

    It 'says what an ordinary user would need' {
        $failure = Invoke-AsUser "Optimize-BtrfsItem '$folder/tree' -ErrorVariable e 2>`$null; `$e[0].FullyQualifiedErrorId; `$e[0].ErrorDetails.RecommendedAction"
        $failure[0] | Should -BeLike 'PermissionDenied,*'
        $failure[1] | Should -Match 'CAP_SYS_ADMIN: run as root'
    }
}
