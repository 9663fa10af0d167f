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
        Invoke-Tool dd if=/dev/urandom of=tree/a bs=4096 count=10 status=none
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

    It 'takes items from the pipeline, by wildcards and literally' {
        (Get-ChildItem tree | Measure-BtrfsItem).Path | Should -Be "$folder/tree/a", "$folder/tree/b", "$folder/tree/inline"
        Measure-BtrfsItem tree/[ab] | ForEach-Object Length | Should -Be 40960, 40960
        Set-Content -LiteralPath 'tree/x[1]' 'literal'
        (Measure-BtrfsItem -LiteralPath 'tree/x[1]').Files | Should -Be 1
        (Copy-BtrfsItem tree clone -PassThru | Measure-BtrfsItem).Path | Should -Be "$folder/clone"
    }

    It 'passes over links from a pipeline, and refuses them by name' {
        Invoke-Tool ln -s a tree/link
        $said = Get-ChildItem tree | Measure-BtrfsItem -Verbose 4>&1
        $said | Where-Object { $_ -is [Management.Automation.VerboseRecord] } | Should -BeLike "*tree/link*"
        { Measure-BtrfsItem tree/link -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
    }

    It 'reports what is missing and goes on' {
        $result = 'missing', 'tree/a' | Measure-BtrfsItem -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match '^SourceNotFound,'
        $result.Path | Should -Be "$folder/tree/a"
    }

    It 'writes objects that print as a table and survive export' -Skip:(-not $root) {
        $result = Measure-BtrfsItem tree
        $lines = ($result | Out-String -Width 120).Trim() -split "`n"
        $lines | Should -HaveCount 3
        $lines[0] | Should -Match '^Files\s+Length\s+DiskLength\s+ExclusiveLength\s+SetSharedLength\s+Ratio\s+Path'
        $lines[2] | Should -Match "^\s*3\s+81920\s+40971\s+0\s+40960\s+1\.00\s+/"
        $lines = ($result.ByCompression | Out-String -Width 120).Trim() -split "`n"
        $lines[2] | Should -Match '^None\s+81931\s+40971\s+40971\s+1\s+1\.00'
        $result | Export-Clixml result.xml
        $read = Import-Clixml result.xml
        $read.ByCompression[0].DiskLength | Should -Be 40971
        ($read | Get-Item).Name | Should -Be 'tree'
    }
}
