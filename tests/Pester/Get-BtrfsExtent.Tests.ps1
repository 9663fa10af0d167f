BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # A file of one extent whose second block has been written again.
    function Initialize-PartedFile([string] $Path, [long] $Blocks = 10) {
        New-OneExtentFile $Path (4096 * $Blocks)
        Invoke-Tool dd if=/dev/urandom of=$Path bs=4096 count=1 seek=1 conv='notrunc,fsync' status=none
        Invoke-Tool btrfs filesystem sync $folder
    }

    # The offsets and lengths that filefrag gives, in bytes.
    function Get-FilefragRange([string] $Path) {
        Invoke-Tool filefrag -v -b1 $Path | Select-String '^\s*\d+:\s+(\d+)\.\..*?:.*?:\s*(\d+):' | ForEach-Object {
            "$($_.Matches[0].Groups[1].Value)+$($_.Matches[0].Groups[2].Value)"
        }
    }
}

Describe 'Get-BtrfsExtent' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'shows an overwrite as three pieces, and a clone of it as further references to two extents' -Skip:(-not $root) {
        Initialize-PartedFile a
        $before = Get-BtrfsExtent a
        $before | Should -BeOfType BtrfsClone.Extents.BtrfsExtent
        $before.Path | Should -Be "$folder/a", "$folder/a", "$folder/a"
        $before.Offset | Should -Be 0, 4096, 8192
        $before | ForEach-Object Length | Should -Be 4096, 4096, 32768
        $before.ExtentOffset | Should -Be 0, 0, 8192
        $before.DiskLength | Should -Be 40960, 4096, 40960
        $before[2].DiskOffset | Should -Be $before[0].DiskOffset
        $before.ReferenceCount | Should -Be 2, 1, 2
        $before.IsShared | Should -Be $false, $false, $false
        $before.Kind | Should -Be 'Data', 'Data', 'Data'
        $before.Compression | Should -Be 'None', 'None', 'None'

        Copy-BtrfsItem a b
        Invoke-Tool btrfs filesystem sync $folder
        foreach ($file in 'a', 'b') {
            $after = Get-BtrfsExtent $file
            $after.ReferenceCount | Should -Be 4, 2, 4
            $after.IsShared | Should -Be $true, $true, $true
            $after.DiskOffset | Should -Be $before.DiskOffset
            $after.Generation | Should -Be $before.Generation
        }
    }

    It 'reads all files below a directory with -Recurse, as find finds them' {
        $null = New-Item -ItemType Directory 't/[x]/.hidden'
        foreach ($name in 't/a', 't/[x]/b', 't/[x]/.hidden/c', "t/`u{e9}", 'beside') {
            Invoke-Tool dd if=/dev/urandom of=$name bs=4096 count=2 conv=fsync status=none
        }

        Invoke-Tool touch t/empty
        Invoke-Tool mkfifo t/fifo
        Invoke-Tool ln -s ../beside t/link
        Invoke-Tool ln -s ../.. t/up
        $files = Invoke-Tool find "$folder/t" -type f -size +0 | Sort-Object
        $files | Should -HaveCount 4
        (Get-BtrfsExtent t -Recurse -ErrorAction Stop).Path | Sort-Object | Should -Be $files
        ('t' | Get-BtrfsExtent -Recurse -Offset 4096 -ErrorAction Stop).Path | Sort-Object | Should -Be $files
        (Get-BtrfsExtent t/a -Recurse).Path | Should -Be "$folder/t/a"
        $first = Get-BtrfsExtent t -Recurse | Select-Object -First 1
        $first.Path | Should -BeIn $files
        { Get-BtrfsExtent t -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
        { Get-BtrfsExtent t/fifo -Recurse -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
    }

    It 'shows only the range of -Offset and -Length, and holes with -IncludeHole' {
        Invoke-Tool truncate -s 100000 a
        Invoke-Tool dd if=/dev/urandom of=a bs=4096 count=2 seek=4 conv='notrunc,fsync' status=none
        Get-BtrfsExtent a | ForEach-Object { "$($_.Kind) $($_.Offset)+$($_.Length)" } | Should -Be 'Data 16384+8192'
        Get-BtrfsExtent a -IncludeHole | ForEach-Object { "$($_.Kind) $($_.Offset)+$($_.Length)" } |
            Should -Be 'Hole 0+16384', 'Data 16384+8192', 'Hole 24576+75424'
        Get-BtrfsExtent a -Offset 17000 -Length 1 | ForEach-Object { "$($_.Offset)+$($_.Length)" } | Should -Be '16384+8192'
        Get-BtrfsExtent a -Offset 5000 -Length 5000 -IncludeHole | ForEach-Object { "$($_.Kind) $($_.Offset)+$($_.Length)" } |
            Should -Be 'Hole 5000+5000'
        Get-BtrfsExtent a -Offset 24576 | Should -BeNullOrEmpty
        Get-BtrfsExtent a -Offset 1TB -IncludeHole | Should -BeNullOrEmpty
    }

    It 'says with -Source Fiemap what filefrag says, and nothing that FIEMAP does not know' {
        Initialize-PartedFile a
        $extents = Get-BtrfsExtent a -Source Fiemap
        $extents | ForEach-Object { "$($_.Offset)+$($_.Length)" } | Should -Be (Get-FilefragRange a)
        foreach ($name in 'DiskOffset', 'DiskLength', 'ExtentOffset', 'RamLength', 'ReferenceCount', 'Generation') {
            $extents | ForEach-Object { $null -eq $_.$name } | Should -Be $true, $true, $true
        }

        $extents[2].PhysicalOffset - $extents[0].PhysicalOffset | Should -Be 8192
        $extents.IsShared | Should -Be $false, $false, $false
    }

    It 'takes the trees with -Source Tree as with Auto' -Skip:(-not $root) {
        Initialize-PartedFile a
        $auto = Get-BtrfsExtent a -Source Auto | ConvertTo-Json
        Get-BtrfsExtent a -Source Tree | ConvertTo-Json | Should -Be $auto
    }

    It 'answers an ordinary user with FIEMAP, and says what -Source Tree needs' -Skip:(-not $root) {
        Initialize-PartedFile a
        chmod 755 $folder
        chmod 644 "$folder/a"
        Invoke-AsUser "Get-BtrfsExtent '$folder/a' | ForEach-Object { '{0}+{1} {2}' -f `$_.Offset, `$_.Length, (`$null -eq `$_.DiskOffset) }" |
            Should -Be '0+4096 True', '4096+4096 True', '8192+32768 True'
        $failure = Invoke-AsUser "Get-BtrfsExtent '$folder/a' -Source Tree -ErrorVariable e 2>`$null; `$e[0].FullyQualifiedErrorId; `$e[0].CategoryInfo.Category; `$e[0].ErrorDetails.RecommendedAction"
        $failure[0] | Should -Be 'PermissionDenied,BtrfsClone.PowerShell.GetBtrfsExtentCommand'
        $failure[1] | Should -Be 'PermissionDenied'
        $failure[2] | Should -BeLike '*CAP_SYS_ADMIN*'
    }

    It 'shows delayed data as it is, and leaves it delayed' {
        Invoke-Tool dd if=/dev/urandom of=a bs=4096 count=3 status=none
        $extent = Get-BtrfsExtent a
        $extent.Kind, $extent.Offset, $extent.Length | Should -Be 'Delalloc', 0, 12288
        $extent.DiskOffset, $extent.PhysicalOffset, $extent.ReferenceCount | Should -Be $null, $null, $null
        (Invoke-Tool filefrag -v a) -match 'delalloc' | Should -HaveCount 1
    }

    It 'goes through Get-ChildItem -Recurse without an error, passing over what is no regular file' {
        $src = New-Tree "$folder/src"
        # PowerShell has no name for what is not UTF-8.
        Invoke-Tool env LC_ALL=C find $src -name 'not?utf8' -delete
        $files = Get-ChildItem $src -Recurse -Force -File | Where-Object UnixMode -Match '^-' | Where-Object Length -GT 0
        $found = Get-ChildItem $src -Recurse -Force | Get-BtrfsExtent -IncludeHole -ErrorAction Stop
        $found.Path | Sort-Object -Unique -CaseSensitive | Should -Be ($files.FullName | Sort-Object -Unique -CaseSensitive)
        $passedOver = Get-ChildItem $src -Recurse -Force | Get-BtrfsExtent -Verbose 4>&1 |
            Where-Object { $_ -is [Management.Automation.VerboseRecord] -and $_.Message -match 'is not a regular file; it is left out' }
        $passedOver | Should -HaveCount @(Get-ChildItem $src -Recurse -Force | Where-Object UnixMode -NotMatch '^-').Count
    }

    It 'refuses <kind> that is named' -ForEach @(
        @{ kind = 'a directory'; make = 'mkdir x' }
        @{ kind = 'a link to a directory'; make = 'mkdir dir; ln -s dir x' }
        @{ kind = 'a pipe'; make = 'mkfifo x' }
    ) {
        Invoke-Tool sh -c $make
        { Get-BtrfsExtent x -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
        Get-BtrfsExtent x? | Should -BeNullOrEmpty
        Get-BtrfsExtent [x] | Should -BeNullOrEmpty
    }

    It 'takes a link that is named for what it leads to, as filefrag does' {
        Invoke-Tool sh -c 'head -c 9000 /dev/urandom > file; sync file; ln -s file link; ln -s missing dangling'
        $extent = Get-BtrfsExtent link
        $extent.Path | Should -Be "$PWD/file"
        Get-PhysicalRange link | Should -Be (Get-PhysicalRange file)
        $extent.Offset | Should -Be (Get-BtrfsExtent file).Offset
        $extent.DiskOffset | Should -Be (Get-BtrfsExtent file).DiskOffset
        Get-Item link | Get-BtrfsExtent | Should -BeNullOrEmpty
        { Get-BtrfsExtent dangling -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
    }

    It 'reports a bad item and goes on with the next' {
        'x' * 5000 > a
        $extents = Get-BtrfsExtent missing, a -ErrorVariable failures -ErrorAction SilentlyContinue
        $extents.Path | Should -Be "$folder/a"
        $failures.Count | Should -Be 1
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
        $failures[0].TargetObject | Should -Be "$folder/missing"
    }

    It 'says that a filesystem has no FIEMAP, or is not btrfs' {
        $elsewhere = '/dev/shm/btrfs-clone-pester'
        'x' > $elsewhere
        try {
            { Get-BtrfsExtent $elsewhere -ErrorAction Stop } | Should -Throw -ErrorId 'FiemapNotSupported,*'
            { Get-BtrfsExtent $elsewhere -Source Tree -ErrorAction Stop } | Should -Throw -ErrorId 'NotBtrfs,*'
        } finally {
            Remove-Item -LiteralPath $elsewhere
        }
    }

    It 'takes literal paths, and wildcards' {
        Set-Content -LiteralPath '[a]', 'a' -Value ('x' * 5000)
        (Get-BtrfsExtent -LiteralPath '[a]').Path | Should -Be "$folder/[a]"
        (Get-Item -LiteralPath '[a]' | Get-BtrfsExtent).Path | Should -Be "$folder/[a]"
        (Get-BtrfsExtent -Path '[a]').Path | Should -Be "$folder/a"
    }

    It 'writes objects that other commands take' {
        Initialize-PartedFile a
        Invoke-Tool cp --reflink=always a b
        Invoke-Tool btrfs filesystem sync $folder
        $extents = Get-BtrfsExtent a
        ($extents | Get-Item).Name | Should -Be 'a', 'a', 'a'
        ($extents | Get-BtrfsExtent -Length 1).Offset | Should -Be 0, 0, 0
        $extents | Copy-BtrfsRange -Destination c
        Invoke-Tool cmp a c
        $extents | Where-Object IsShared | Should -HaveCount 3
        $shared = Get-BtrfsExtent a, b | Group-Object PhysicalOffset
        $shared | Should -HaveCount 3
        $shared | ForEach-Object Count | Should -Be 2, 2, 2
    }

    It 'writes objects that survive <format>' -ForEach @(
        @{ format = 'JSON'; copy = { $input | ConvertTo-Json | ConvertFrom-Json } }
        @{ format = 'CSV'; copy = { $input | ConvertTo-Csv | ConvertFrom-Csv } }
        @{ format = 'CLIXML'; copy = { $input | Export-Clixml x.xml; Import-Clixml x.xml } }
    ) {
        Initialize-PartedFile a
        $extents = Get-BtrfsExtent a
        $copies = $extents | & $copy
        $copies | Should -HaveCount 3
        foreach ($i in 0..2) {
            foreach ($name in 'Path', 'Offset', 'Length', 'Kind', 'DiskOffset', 'ExtentOffset', 'Compression', 'IsShared', 'PhysicalOffset') {
                "$($copies[$i].$name)" | Should -BeExactly "$($extents[$i].$name)" -Because $name
            }
        }

        ($copies | Where-Object Kind -EQ Data) | Should -HaveCount 3
    }

    It 'prints as a table of at most 80 columns, a group for each file' {
        Initialize-PartedFile a
        Invoke-Tool cp --reflink=always a b
        $lines = (Get-BtrfsExtent a, b | Out-String -Width 1000) -split "`n"
        $lines | ForEach-Object Length | Should -Not -BeGreaterThan 80
        $lines -match '^\s+Path: ' | ForEach-Object Trim | Should -Be "Path: $folder/a", "Path: $folder/b"
        $rows = $lines -match '^\s+\d+ +\d+ Data '
        $rows | Should -HaveCount 6
        $rows[2] | Should -Match '^ +8192 +32768 Data '
        (Get-BtrfsExtent a | Format-List | Out-String) | Should -Match '(?s)Path +:.*Offset +:.*Kind +:.*RamLength +:.*Generation +:'
    }

    It 'ends early where the pipeline has enough' {
        Initialize-PartedFile a
        (Get-BtrfsExtent a | Select-Object -First 1).Offset | Should -Be 0
    }
}
