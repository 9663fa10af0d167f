BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # Bytes of a file from an offset on, as text that is easy to compare.
    function Get-Part([string] $Path, [long] $Offset, [long] $Length) {
        $bytes = [IO.File]::ReadAllBytes((Convert-Path $Path))
        [Convert]::ToHexString($bytes, $Offset, $Length)
    }
}

Describe 'Copy-BtrfsRange' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        Invoke-Tool dd if=/dev/urandom of=a bs=5000 count=10 status=none
        Invoke-Tool dd if=/dev/urandom of=b bs=4096 count=20 status=none
        Invoke-Tool cp --reflink=never b old
    }

    AfterEach {
        Pop-Location
    }

    It 'clones a whole file into a new one' {
        Copy-BtrfsRange a new | Should -BeNullOrEmpty
        Invoke-Tool cmp a new
        Get-PhysicalRange new | Should -Be (Get-PhysicalRange a)
    }

    It 'clones what -Offset, -Length and -DestinationOffset say' {
        $result = Copy-BtrfsRange -Path a -Destination b -Offset 8192 -Length 4096 -DestinationOffset 40960 -PassThru
        $result | Should -BeOfType BtrfsClone.Cloning.RangeCloneResult
        $result.Path, $result.Source | Should -Be "$folder/b", "$folder/a"
        $result.Offset, $result.Length, $result.DestinationOffset | Should -Be 8192, 4096, 40960
        Get-Part b 40960 4096 | Should -Be (Get-Part a 8192 4096)
        Get-Part b 0 40960 | Should -Be (Get-Part old 0 40960)
        Get-Part b 45056 36864 | Should -Be (Get-Part old 45056 36864)
    }

    It 'puts the range at its own offset unless told otherwise, also at zero' {
        Copy-BtrfsRange a b -Offset 4096 -Length 4096
        Get-Part b 4096 4096 | Should -Be (Get-Part a 4096 4096)
        Copy-BtrfsRange a b -Offset 4096 -Length 4096 -DestinationOffset 0
        Get-Part b 0 4096 | Should -Be (Get-Part a 4096 4096)
    }

    It 'takes ranges by property name, in their order, with one file open for all' {
        $ranges = foreach ($i in 0..99) {
            [pscustomobject] @{ PSPath = "$folder/a"; Offset = 4096 * ($i % 12); Length = 4096 }
        }

        $result = $ranges | Copy-BtrfsRange -Destination new -PassThru
        $result | Should -HaveCount 100
        $result.Offset | Should -Be $ranges.Offset
        Get-Part new 0 49152 | Should -Be (Get-Part a 0 49152)
        $last = $ranges | Copy-BtrfsRange -Destination one -DestinationOffset 0 -PassThru
        $last[-1].Offset | Should -Be 12288
        Get-Part one 0 4096 | Should -Be (Get-Part a 12288 4096)
    }

    It 'takes what Get-BtrfsExtent writes, the last extent up to the end of the file' {
        Invoke-Tool sync a
        Get-BtrfsExtent a | Copy-BtrfsRange -Destination new
        Invoke-Tool cmp a new
        Invoke-Tool sync new
        # Part the file: two of its three extents are shared now.
        Invoke-Tool dd if=/dev/urandom of=a bs=4096 count=1 seek=4 conv=notrunc status=none
        Invoke-Tool sync a
        # The unaligned end fits only where nothing follows it.
        Invoke-Tool truncate -s 50000 b
        $result = Get-BtrfsExtent a | Where-Object IsShared | Copy-BtrfsRange -Destination b -PassThru
        $result.Offset | Should -Be 0, 20480
        $result.DestinationOffset | Should -Be 0, 20480
        Get-Part b 0 16384 | Should -Be (Get-Part a 0 16384)
        Get-Part b 16384 4096 | Should -Be (Get-Part old 16384 4096)
        Get-Part b 20480 29520 | Should -Be (Get-Part a 20480 29520)
    }

    It 'takes files from the pipeline' {
        Get-Item a | Copy-BtrfsRange -Destination new
        'a' | Copy-BtrfsRange -Destination new -DestinationOffset 53248
        Get-Part new 53248 50000 | Should -Be (Get-Part a 0 50000)
    }

    It 'resolves against the session, wildcards for one file, and -LiteralPath as it is' {
        Set-Content -LiteralPath 'x[1]' 'literal'
        Set-Content x1 'wildcard'
        Copy-BtrfsRange 'x[1]' new1
        Get-Content new1 | Should -Be 'wildcard'
        Copy-BtrfsRange -LiteralPath 'x[1]' -Destination 'new[2]'
        Get-Content -LiteralPath 'new[2]' | Should -Be 'literal'
        $null = New-PSDrive Scratch FileSystem $folder
        Copy-BtrfsRange Scratch:/x1 Scratch:/new3
        Get-Content new3 | Should -Be 'wildcard'
    }

    It 'refuses <name>, and goes on' -ForEach @(
        @{ name = 'an unaligned range'; id = 'UnalignedRange'; bad = @{ PSPath = 'a'; Offset = 5000; Length = 4096 } }
        @{ name = 'a range beyond the end'; id = 'RangeBeyondEnd'; bad = @{ PSPath = 'a'; Offset = 53248; Length = 4096 } }
        @{ name = 'a range onto itself'; id = 'OverlappingRanges'; bad = @{ PSPath = 'b'; Offset = 0; Length = 4096 } }
        @{ name = 'a missing file'; id = 'SourceNotFound'; bad = @{ PSPath = 'missing'; Offset = 0; Length = 4096 } }
        @{ name = 'a directory'; id = 'NotRegularFile'; bad = @{ PSPath = '.'; Offset = 0; Length = 4096 } }
        @{ name = 'a path of another provider'; id = 'NotFileSystem'; bad = @{ PSPath = 'Env:HOME'; Offset = 0; Length = 4096 } }
    ) {
        $good = @{ PSPath = 'a'; Offset = 8192; Length = 4096 }
        $result = [pscustomobject] $bad, [pscustomobject] $good |
            Copy-BtrfsRange -Destination b -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match "^$id\b"
        $result.Offset | Should -Be 8192
        Get-Part b 0 8192 | Should -Be (Get-Part old 0 8192)
    }

    It 'names the block size and the nearest aligned range' {
        { Copy-BtrfsRange a b -Offset 5000 -Length 4096 -ErrorAction Stop } |
            Should -Throw '*blocks of 4096 bytes*offset 4096, length 4096*' -ErrorId 'UnalignedRange,*'
    }

    It 'refuses a wildcard for several files' {
        { Copy-BtrfsRange * new -ErrorAction Stop } | Should -Throw -ErrorId 'SeveralItems,*'
        { Copy-BtrfsRange z* new -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
        Test-Path new | Should -BeFalse
    }

    It 'clones within one file' {
        Copy-BtrfsRange b b -Length 40960 -DestinationOffset 40960
        Get-Part b 40960 40960 | Should -Be (Get-Part old 0 40960)
    }

    It 'loses nothing where two make one file at once and one of them fails' {
        $module = (Get-Module BtrfsClone).Path -replace 'bin/[^/]*$', 'BtrfsClone.psd1'
        0, 1, 5000 | ForEach-Object -ThrottleLimit 3 -Parallel {
            Import-Module $using:module
            Set-Location $using:folder
            $offset = $_ -eq 5000 ? 5000 : 4096 * $_
            foreach ($i in 1..100) {
                Copy-BtrfsRange a "new$i" -Offset $offset -Length 4096 -ErrorAction ($_ -eq 5000 ? 'Ignore' : 'Stop')
            }
        }

        foreach ($i in 1..100) {
            Get-Part "new$i" 0 8192 | Should -Be (Get-Part a 0 8192)
        }
    }

    It 'refuses a link that leads nowhere' {
        Invoke-Tool ln -s missing link
        { Copy-BtrfsRange a link -ErrorAction Stop } | Should -Throw '*symbolic link*' -ErrorId 'DestinationNotFound,*'
        Test-Path missing | Should -BeFalse
    }

    It 'does nothing with -WhatIf, and says what it would do' {
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Set-Location '$folder'; Copy-BtrfsRange a new -Offset 4096 -WhatIf"
        $said | Should -Be "What if: Performing the operation `"Clone range (offset 4096, to the end, to offset 4096)`" on target `"Item: $folder/a Destination: $folder/new`"."
        Copy-BtrfsRange a b -Confirm:$false -WhatIf
        Invoke-Tool cmp b old
        Test-Path new | Should -BeFalse
    }

    It 'writes objects that print as a table and bind to other cmdlets' {
        $result = Copy-BtrfsRange a new -PassThru
        $lines = ($result | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount 5
        $lines[0] | Should -Be "Directory: $folder"
        $lines[2] | Should -Match '^\s*Offset\s+Length\s+DestinationOffset\s+Name'
        $lines[4] | Should -Match '^\s*0\s+50000\s+0\s+new'
        ($result | Get-Item).Length | Should -Be 50000
    }
}
