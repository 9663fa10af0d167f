BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Compare-BtrfsItem' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory tree/below
        Invoke-Tool dd if=/dev/urandom of=tree/a bs=4096 count=10 status=none
        Invoke-Tool dd if=/dev/urandom of=tree/below/b bs=4096 count=2 status=none
        Set-Content tree/inline 'some words'
        Copy-BtrfsItem tree clone
    }

    AfterEach {
        Pop-Location
    }

    It 'says what two files share, at once after a write' {
        $result = Compare-BtrfsItem tree/a clone/a
        $result | Should -BeOfType BtrfsClone.Comparing.CompareResult
        $result.ReferencePath, $result.Path | Should -Be "$folder/tree/a", "$folder/clone/a"
        $result.Length, $result.SharedLength, $result.ExclusiveLength | Should -Be 40960, 40960, 0
        $result.SharedRatio | Should -Be 1
        $result.IsClone | Should -BeTrue

        Invoke-Tool dd if=/dev/urandom of=clone/a bs=4096 count=1 seek=3 conv=notrunc status=none
        $result = Compare-BtrfsItem tree/a clone/a
        $result.Length, $result.SharedLength, $result.ExclusiveLength | Should -Be 40960, 36864, 4096
        $result.SharedRatio | Should -Be 0.9
        $result.IsClone | Should -BeFalse
    }

    It 'says what two trees share, and what only one of them has' {
        $result = Compare-BtrfsItem tree clone
        $result.Files | Should -Be 3
        $result.Length, $result.SharedLength, $result.InlineLength, $result.ExclusiveLength | Should -Be 49163, 49152, 11, 0
        $result.SharedRatio | Should -Be 1
        $result.IsClone | Should -BeTrue
        $result.ComparedLength | Should -Be 11 -Because 'inline data is compared by content'

        Remove-Item clone/below -Recurse
        Set-Content clone/new 'new'
        Remove-Item tree/inline
        Invoke-Tool ln -s a tree/inline
        $result = Compare-BtrfsItem tree clone
        $result.IsClone | Should -BeFalse
        $result.OnlyInReference | Should -Be 'below'
        $result.OnlyInPath | Should -Be 'new'
        $result.Different | Should -Be 'inline'
        $result.Length, $result.SharedLength | Should -Be 40975, 40960
        $result.Failed | Should -Be 0
    }

    It 'writes each file and each lonely entry with -Detailed' {
        Remove-Item clone/below/b
        Set-Content clone/new 'new'
        $results = Compare-BtrfsItem tree clone -Detailed
        $results | Should -HaveCount 4
        ($results | Where-Object IsClone).Path | Sort-Object | Should -Be "$folder/clone/a", "$folder/clone/inline"
        ($results | Where-Object OnlyInPath).Path | Should -Be "$folder/clone/new"
        ($results | Where-Object OnlyInReference).ReferencePath | Should -Be "$folder/tree/below/b"
        @(Compare-BtrfsItem tree/a clone/a -Detailed) | Should -HaveCount 1
    }

    It 'takes items from the pipeline, by one wildcard and literally' {
        (Get-Item clone/a | Compare-BtrfsItem tree/a).IsClone | Should -BeTrue
        (Copy-BtrfsItem tree other -PassThru | Compare-BtrfsItem tree).IsClone | Should -BeTrue
        (Compare-BtrfsItem tree/a clone/[a]).Path | Should -Be "$folder/clone/a"
        Copy-Item tree/a 'x[1]'
        (Compare-BtrfsItem -ReferencePath 'x[1]' -LiteralPath 'x[1]').IsClone | Should -BeTrue
        { Compare-BtrfsItem tree/a clone/* -ErrorAction Stop } | Should -Throw -ErrorId 'SeveralItems,*'
    }

    It 'refuses <name>, and goes on' -ForEach @(
        @{ name = 'what is missing'; id = 'SourceNotFound'; bad = 'missing' }
        @{ name = 'a directory beside a file'; id = 'NotRegularFile'; bad = 'clone' }
        @{ name = 'a path of another provider'; id = 'NotFileSystem'; bad = 'Env:HOME' }
    ) {
        $result = $bad, 'clone/a' | Compare-BtrfsItem tree/a -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Match "^$id\b"
        $result.Path | Should -Be "$folder/clone/a"
    }

    It 'writes objects that print as a table, bind to other cmdlets and survive export' {
        $result = Compare-BtrfsItem tree clone
        $lines = ($result | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount 5
        $lines[0] | Should -Be "Directory: $folder"
        $lines[2] | Should -Match '^\s*Length\s+Shared\s+Exclusive\s+Ratio\s+IsClone\s+Unpaired\s+Name'
        $lines[4] | Should -Match '^\s*48 KiB\s+48 KiB\s+0 B\s+1\.0000\s+True\s+0\s+clone\s*$'
        ($result | Get-Item).Name | Should -Be 'clone'
        $result | Export-Clixml result.xml
        (Import-Clixml result.xml).SharedLength | Should -Be 49152
        ($result | ConvertTo-Json | ConvertFrom-Json).IsClone | Should -BeTrue
    }
}
