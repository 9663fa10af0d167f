BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # All that must not change: mode, owner, size and times of every entry.
    function Get-State([string] $Path) {
        Invoke-Tool find $Path -printf '%P %m %U %G %s %n %A@ %C@ %T@\n' | Sort-Object -CaseSensitive
    }
}

Describe 'Merge-BtrfsItem' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory "$folder/ref/sub"
        Invoke-Tool dd if=/dev/urandom of=ref/big bs=1M count=4 status=none
        Invoke-Tool dd if=/dev/urandom of=ref/sub/small bs=5000 count=1 status=none
        Invoke-Tool cp -a --reflink=never ref tree
        Invoke-Tool dd if=/dev/urandom of=tree/big bs=4096 count=1 seek=100 conv=notrunc status=none
        Set-Content ref/gone 'only there'
        Set-Content tree/new 'only here'
        Invoke-Tool sync ref/big tree/big ref/sub/small tree/sub/small
    }

    AfterEach {
        Pop-Location
    }

    It 'makes a tree share what it holds in common with another' {
        $state = Get-State .
        $result = Merge-BtrfsItem ref tree | Sort-Object Path
        $result | Should -BeOfType BtrfsClone.Merging.MergeResult
        $result.Path | Should -Be "$folder/tree/big", "$folder/tree/sub/small"
        $result.ReferencePath | Should -Be "$folder/ref/big", "$folder/ref/sub/small"
        $result.DedupedLength | Should -Be (4MB - 4096), 5000
        $result.SameLength | Should -Be 0, 0
        $result.DifferentLength | Should -Be 4096, 0
        Get-State . | Should -Be $state
        Get-PhysicalRange tree/sub/small | Should -Be (Get-PhysicalRange ref/sub/small)
        # What nobody else holds: the one block.
        (Invoke-Tool btrfs filesystem du --raw tree/big)[1] | Should -Match '^\s*4194304\s+4096\s'
        $again = Merge-BtrfsItem ref tree | Sort-Object Path
        $again.DedupedLength | Should -Be 0, 0
        $again.SameLength | Should -Be (4MB - 4096), 5000
    }

    It 'gives the space back' {
        $before = Get-DataUsed .
        $null = Merge-BtrfsItem ref/sub/small tree/sub/small
        $before - (Get-DataUsed .) | Should -Be 8192
    }

    It 'merges files, named in every way' {
        $null = New-PSDrive Scratch FileSystem $folder
        Copy-Item -LiteralPath tree/sub/small 'tree/x[1]'
        'tree/x[1]', 'Scratch:/tree/x[1]' | ForEach-Object { (Merge-BtrfsItem ref/sub/small -LiteralPath $_).Path } |
            Should -Be "$folder/tree/x[1]", "$folder/tree/x[1]"
        (Merge-BtrfsItem -ReferencePath Scratch:/ref/big -Path tree/b*).DifferentLength | Should -Be 4096
        (Get-Item tree/big | Merge-BtrfsItem ref/big).SameLength | Should -Be (4MB - 4096)
        ('tree/big' | Merge-BtrfsItem ref/big).SameLength | Should -Be (4MB - 4096)
    }

    It 'says what only one side has' {
        $said = Merge-BtrfsItem ref tree -Verbose 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }
        $said.Message | Should -Contain "'$folder/tree/new' has no counterpart below '$folder/ref'."
        $said.Message | Should -Contain "'$folder/ref/gone' is only below the reference."
    }

    It 'says with -WhatIf what it would free, and does nothing' {
        $map = Get-PhysicalRange tree/big
        $free = 4MB - 4096 + 5000
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Set-Location '$folder'; Merge-BtrfsItem ref tree -WhatIf; `$WhatIfPreference = `$true; Merge-BtrfsItem ref/sub/small tree/sub/small"
        $said | Should -Be @(
            "What if: Performing the operation `"Merge $free bytes, which frees up to $free bytes`" on target `"Item: $folder/tree Reference: $folder/ref`"."
            "What if: Performing the operation `"Merge 5000 bytes, which frees up to 5000 bytes`" on target `"Item: $folder/tree/sub/small Reference: $folder/ref/sub/small`"."
        )
        Get-PhysicalRange tree/big | Should -Be $map
    }

    It 'asks first with -Confirm' {
        $shell = [powershell]::Create()
        $null = $shell.AddCommand('Import-Module').AddParameter('Name', (Join-Path $PSScriptRoot '../../BtrfsClone.psd1')).Invoke()
        $shell.Commands.Clear()
        $null = $shell.AddCommand('Merge-BtrfsItem').AddArgument("$folder/ref").AddArgument("$folder/tree").AddParameter('Confirm')
        { $shell.Invoke() } | Should -Throw -Because 'there is nobody to answer'
        $shell.Dispose()
        (Merge-BtrfsItem ref/sub/small tree/sub/small -Confirm:$false).DedupedLength | Should -Be 5000
    }

    It 'refuses <name>, and goes on' -ForEach @(
        @{ name = 'a missing item'; id = 'SourceNotFound'; bad = 'missing' }
        @{ name = 'the file itself'; id = 'SameFile'; bad = 'ref/sub/small' }
        @{ name = 'a directory for a file'; id = 'NotRegularFile'; bad = 'tree' }
        @{ name = 'a wildcard for several'; id = 'SeveralItems'; bad = '*' }
        @{ name = 'a path of another provider'; id = 'NotFileSystem'; bad = 'Env:HOME' }
    ) {
        $result = $bad, 'tree/sub/small' | Merge-BtrfsItem ref/sub/small -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match "^$id\b"
        $result.DedupedLength | Should -Be 5000
    }

    It 'reports a file that cannot be merged, and goes on' {
        $null = New-Item -ItemType File tree/nocow
        chattr +C tree/nocow
        Copy-Item ref/sub/small ref/nocow
        Invoke-Tool dd if=ref/nocow of=tree/nocow conv=notrunc status=none
        $result = Merge-BtrfsItem ref tree -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match '^NoCowMismatch,'
        $failures[0].TargetObject | Should -Be "$folder/tree/nocow"
        $result | Should -HaveCount 2
    }

    It 'writes objects that print as a table, bind to other cmdlets and survive JSON' {
        $result = Merge-BtrfsItem ref/big tree/big
        $lines = ($result | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount 5
        $lines[0] | Should -Be "Directory: $folder/tree"
        $lines[2] | Should -Match '^\s*Deduped\s+Same\s+Inline\s+Different\s+Name'
        $lines[4] | Should -Match '4 MiB\s+0 B\s+0 B\s+4 KiB\s+big'
        ($result | Get-Item).Length | Should -Be 4MB
        ($result | ConvertTo-Json | ConvertFrom-Json).DedupedLength | Should -Be 4190208
    }
}
