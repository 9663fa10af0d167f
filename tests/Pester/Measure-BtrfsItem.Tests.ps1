BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # Total, exclusive and set shared, as btrfs-progs count them.
    function Get-DiskUsage([string] $Path) {
        [long[]] ((Invoke-Tool btrfs filesystem du -s --raw $Path)[-1] -split '\s+' -ne '')[0..2]
    }
}

Describe 'Measure-BtrfsItem' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory tree
        New-OneExtentFile tree/a 40KB
        Set-Content tree/inline 'some words'
        Invoke-Tool btrfs filesystem sync $folder
        Copy-BtrfsItem tree/a tree/b
        Invoke-Tool btrfs filesystem sync $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'measures a tree as btrfs-progs do' {
        $result = Measure-BtrfsItem tree
        $result | Should -BeOfType BtrfsClone.Measuring.MeasureResult
        $result.Path | Should -Be "$folder/tree"
        $result.Files | Should -Be 3
        $result.Length, $result.ExclusiveLength, $result.SetSharedLength | Should -Be (Get-DiskUsage tree)
        $result.Length, $result.SharedLength, $result.SetSharedLength | Should -Be 81920, 81920, 40960
        $result.Failed | Should -Be 0
    }

    It 'counts each extent once, by compression' -Skip:(-not $root) {
        Invoke-Tool chattr +c tree
        # Not by .NET, which preallocates: such space is never compressed.
        Invoke-Tool sh -c 'yes all work and no play | head -c 200000 > tree/text'
        Invoke-Tool btrfs filesystem sync $folder
        $text = (Get-BtrfsExtent tree/text | Measure-Object DiskLength -Sum).Sum
        $result = Measure-BtrfsItem tree
        $result.InlineLength | Should -Be 11
        $result.DiskLength | Should -Be (40960 + 11 + $text)
        $result.ExtentCount | Should -Be (1 + @(Get-BtrfsExtent tree/text).Count)
        $result.CompressionRatio | Should -Be ($result.DiskLength / $result.UncompressedLength)
        $result.CompressionRatio | Should -BeLessThan 0.5
        $result.ByCompression.Type | Should -Be 'None', 'Zlib'
        $result.ByCompression.DiskLength | Should -Be 40971, $text
        $result.ByCompression[1].CompressionRatio | Should -BeLessThan 0.1
    }

    It 'leaves unknown what an ordinary user cannot know' -Skip:(-not $root) {
        $json = Invoke-AsUser "Measure-BtrfsItem '$folder/tree' | ConvertTo-Json"
        $result = $json | ConvertFrom-Json
        $result.Length, $result.SetSharedLength | Should -Be 81920, 40960
        foreach ($name in 'DiskLength', 'UncompressedLength', 'InlineLength', 'ExtentCount', 'CompressionRatio', 'ByCompression') {
            $result.$name | Should -BeNullOrEmpty -Because "$name needs the trees"
            $result.PSObject.Properties.Name | Should -Contain $name
        }
    }

    It 'tells what deleting items would give back' -Skip:(-not $root) {
        Invoke-Tool dd if=/dev/urandom of=own bs=4096 count=3 status=none
        $results = Get-Item tree/a, tree/b, own | Measure-BtrfsItem -Reclaimable
        $results.Path | Should -Be "$folder/tree/a", "$folder/tree/b", "$folder/own"
        $results.ReclaimableLength | Should -Be 0, 0, 12288
        $results.SetReclaimableLength | Should -Be 53248, 53248, 53248
        $results[0].ReclaimableTogether | Should -BeNullOrEmpty
        $results[0] | Should -BeOfType BtrfsClone.Measuring.MeasureResult
        ($results[0] | Out-String -Width 200) | Should -Match 'Reclaimable SetReclaimable Name'

        $detailed = Measure-BtrfsItem tree/a, tree/b, own -Reclaimable -Detailed
        $detailed[0].ReclaimableTogether.Length | Should -Be 40960
        $detailed[0].ReclaimableTogether.With | Should -Be "$folder/tree/b"
        $detailed[2].ReclaimableTogether | Should -HaveCount 0

        # The numbers survive what objects go through.
        $detailed | Export-Clixml x
        (Import-Clixml x).SetReclaimableLength | Should -Be 53248, 53248, 53248
        (Import-Clixml x)[0].ReclaimableTogether.With | Should -Be "$folder/tree/b"
        ($detailed | ConvertTo-Json -Depth 4 | ConvertFrom-Json)[0].ReclaimableTogether.With | Should -Be "$folder/tree/b"
        (Measure-BtrfsItem own).ReclaimableLength | Should -BeNullOrEmpty
    }

    It 'goes on without an item that cannot be measured' -Skip:(-not $root) {
        $results = Measure-BtrfsItem missing, tree -Reclaimable -ErrorVariable failures -ErrorAction SilentlyContinue
        $results.SetReclaimableLength | Should -Be 40960
        $failures.FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
    }

    It 'says what -Reclaimable would need' -Skip:(-not $root) {
        $failure = Invoke-AsUser "Measure-BtrfsItem '$folder/tree' -Reclaimable -ErrorVariable e 2>`$null; `$e[0].FullyQualifiedErrorId; `$e[0].ErrorDetails.RecommendedAction"
        $failure[0] | Should -BeLike 'PermissionDenied,*'
        $failure[1] | Should -Match 'CAP_SYS_ADMIN: run as root'
        { Measure-BtrfsItem /proc/self/status -Reclaimable -ErrorAction Stop } | Should -Throw -ErrorId 'NotBtrfs,*'
        { Measure-BtrfsItem tree -Detailed } | Should -Throw -ErrorId 'ParameterNeeded,*'
    }

    It 'takes items from the pipeline, by wildcards and literally' {
        (Get-ChildItem tree | Measure-BtrfsItem).Path | Should -Be "$folder/tree/a", "$folder/tree/b", "$folder/tree/inline"
        Measure-BtrfsItem tree/[ab] | ForEach-Object Length | Should -Be 40960, 40960
        Set-Content -LiteralPath 'tree/x[1]' 'literal'
        (Measure-BtrfsItem -LiteralPath 'tree/x[1]').Files | Should -Be 1
        (Copy-BtrfsItem tree clone -PassThru | Measure-BtrfsItem).Path | Should -Be "$folder/clone"
    }

    It 'passes over links from a pipeline, and follows them by name' {
        Invoke-Tool ln -s a tree/link
        $said = Get-ChildItem tree | Measure-BtrfsItem -Verbose 4>&1
        $said | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | Should -BeLike "*tree/link*"
        $measured = Measure-BtrfsItem tree/link, tree/a
        $measured.Path | Should -Be "$folder/tree/a", "$folder/tree/a"
        $measured | ForEach-Object Length | Should -Be 40960, 40960
    }

    It 'reports what is missing and goes on' {
        $result = 'missing', 'tree/a' | Measure-BtrfsItem -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match '^SourceNotFound,'
        $result.Path | Should -Be "$folder/tree/a"
    }

    It 'writes objects that print as a table and survive export' -Skip:(-not $root) {
        $result = Measure-BtrfsItem tree
        $lines = ($result | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount 5
        $lines[0] | Should -Be "Directory: $folder"
        $lines[2] | Should -Match '^\s*Files\s+Length\s+Disk\s+Exclusive\s+SetShared\s+Ratio\s+Name'
        $lines[4] | Should -Match '^\s*3\s+80 KiB\s+40 KiB\s+0 B\s+40 KiB\s+1\.00\s+tree'
        $lines = ($result.ByCompression | Out-String -Width 1000).Trim() -split "`n"
        $lines[2] | Should -Match '^None\s+80 KiB\s+40 KiB\s+40 KiB\s+1\s+1\.00'
        $result | Export-Clixml result.xml
        $read = Import-Clixml result.xml
        $read.ByCompression[0].DiskLength | Should -Be 40971
        ($read | Get-Item).Name | Should -Be 'tree'
    }

    It 'measures the current location without a path, and nothing for an empty pipeline' {
        $folder = New-ScratchFolder
        Set-Content $folder/f text
        Push-Location $folder
        try {
            (Measure-BtrfsItem).Path | Should -Be $folder
            (Measure-BtrfsItem).Files | Should -Be 1
            @() | Measure-BtrfsItem | Should -BeNullOrEmpty
            { Measure-BtrfsItem $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
            { Measure-BtrfsItem -Path @() } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        } finally {
            Pop-Location
        }
    }
}
