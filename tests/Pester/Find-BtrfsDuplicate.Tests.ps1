BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # The places of groups as text, relative to the current folder, the groups' and the places' order aside.
    function ConvertTo-Text([object[]] $Group) {
        $Group | ForEach-Object {
            $places = $_.Places | ForEach-Object { "$([IO.Path]::GetRelativePath($folder, $_.Path))@$($_.Offset)" }
            "$([BtrfsClone.Finding.DuplicateKind] $_.Kind) $($_.Length) $(($places | Sort-Object -CaseSensitive) -join ' ')"
        } | Sort-Object -CaseSensitive
    }
}

Describe 'Find-BtrfsDuplicate' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        # Two copies and a clone of a file, its second half inside of an image, and what is like nothing else.
        Invoke-Tool bash -c @'
            set -e
            mkdir -p tree/sub
            head -c 65536 /dev/urandom > tree/one
            sync tree/one
            cp --reflink=never tree/one tree/sub/two
            cp --reflink=never tree/one tree/three
            cp --reflink=always tree/one tree/clone
            { head -c 20480 /dev/urandom; tail -c 32768 tree/one; } > tree/image
            head -c 65536 /dev/urandom > tree/other
            echo 'some words' > tree/inline
            echo 'some words' > tree/inline-too
            sync -f .
'@
    }

    AfterEach {
        Pop-Location
    }

    It 'finds whole files, and ranges at other offsets' {
        $groups = @(Find-BtrfsDuplicate tree)
        $groups | Should -BeOfType BtrfsClone.Finding.BtrfsDuplicate
        # Of the clones either one, or both, may be named; the kept one has both.
        $groups | Should -HaveCount 2
        $groups.Kind | Should -Be 'File', 'Range'
        $groups | ForEach-Object Length | Should -Be 65536, 32768
        $groups | ForEach-Object Count | Should -Be 3, 2
        $groups.ReclaimableLength | Should -Be 131072, 0
        $groups[0].Places.Path | ForEach-Object { Split-Path -Leaf $_ } | Should -Contain 'two'
        $groups[0].Places.Path | ForEach-Object { Split-Path -Leaf $_ } | Should -Contain 'three'
        $groups[0].Places.Offset | Sort-Object -Unique | Should -Be 0
        ($groups[1].Places | Where-Object Path -EQ "$folder/tree/image").Offset | Should -Be 20480
        ($groups[1].Places | Where-Object Path -NE "$folder/tree/image").Offset | Should -Be 32768
    }

    It 'finds the same by content' {
        $found = ConvertTo-Text (Find-BtrfsDuplicate tree -Source Content)
        $found | Should -Be (ConvertTo-Text (Find-BtrfsDuplicate tree -Source Auto))
        $found | Should -HaveCount 2
    }

    It 'finds the same by checksums, as root alone' -Skip:(-not $root) {
        ConvertTo-Text (Find-BtrfsDuplicate tree -Source Checksum) | Should -Be (ConvertTo-Text (Find-BtrfsDuplicate tree -Source Content))
        Invoke-Tool chmod -R a+rX $folder
        $said = Invoke-AsUser "try { Find-BtrfsDuplicate '$folder/tree' -Source Checksum -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId }; (Find-BtrfsDuplicate '$folder/tree' | Measure-Object).Count"
        $said[0] | Should -BeLike 'PermissionDenied,*'
        $said[1] | Should -Be 2
    }

    It 'is merged down the pipeline, which gives back what was promised' {
        $groups = @(Find-BtrfsDuplicate tree)
        $sums = (Get-FileHash tree/*, tree/sub/* -ErrorAction Ignore).Hash
        $used = Get-DataUsed .
        $merged = Find-BtrfsDuplicate tree | Merge-BtrfsItem
        $used - (Get-DataUsed .) | Should -Be ($groups | Measure-Object ReclaimableLength -Sum).Sum
        $merged | Should -BeOfType BtrfsClone.Merging.MergeResult
        ($merged | Measure-Object DifferentLength -Sum).Sum | Should -Be 0
        (Get-FileHash tree/*, tree/sub/* -ErrorAction Ignore).Hash | Should -Be $sums
        Get-PhysicalRange tree/sub/two | Should -Be (Get-PhysicalRange tree/one)
        Find-BtrfsDuplicate tree | Should -BeNullOrEmpty
    }

    It 'says with -WhatIf what merging would free, and does nothing' {
        $map = Get-PhysicalRange tree/three
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Find-BtrfsDuplicate '$folder/tree' | Merge-BtrfsItem -WhatIf"
        $said[0] | Should -BeLike 'What if: Performing the operation "Merge, which frees 131072 bytes" on target "Places: * Reference: * Offset: 0 Length: 65536".'
        Get-PhysicalRange tree/three | Should -Be $map
    }

    It 'compares whole files only with -FileOnly, and only what is long enough with -MinimumLength' {
        (Find-BtrfsDuplicate tree -FileOnly).Kind | Should -Be 'File'
        (Find-BtrfsDuplicate tree -MinimumLength 40000).Length | Should -Be 65536
        Find-BtrfsDuplicate tree -MinimumLength 65537 | Should -BeNullOrEmpty
        { Find-BtrfsDuplicate tree -MinimumLength 0 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'searches names that -Include and -Exclude choose' {
        (Find-BtrfsDuplicate tree -Include one, two).Places.Path | Sort-Object | Should -Be "$folder/tree/one", "$folder/tree/sub/two"
        Find-BtrfsDuplicate tree -Exclude sub, three, image | Should -BeNullOrEmpty
        # What is named outright is searched whatever it is called.
        (Find-BtrfsDuplicate tree/one, tree/three -Exclude one, three).Count | Should -Be 2
        Get-ChildItem tree -File | Find-BtrfsDuplicate -Include one, clone | Should -BeNullOrEmpty
        (Get-ChildItem tree -File | Find-BtrfsDuplicate -Include one, three).Count | Should -Be 2
    }

    It 'takes items from the pipeline, by wildcards and literally, and searches them together' {
        (Get-ChildItem tree -File | Find-BtrfsDuplicate -FileOnly).Count | Should -Be 2
        (Find-BtrfsDuplicate tree/o*, tree/sub).Count | Should -Be 2
        $null = New-PSDrive Scratch FileSystem $folder
        Invoke-Tool bash -c "cp --reflink=never tree/one 'tree/x[1]'; sync -f ."
        (Find-BtrfsDuplicate -LiteralPath 'tree/x[1]', 'Scratch:/tree/one').Places.Path | Sort-Object |
            Should -Be "$folder/tree/one", "$folder/tree/x[1]"
    }

    It 'reports what is missing and goes on' {
        $groups = 'missing', 'Env:HOME', 'tree' | Find-BtrfsDuplicate -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -Match '^(SourceNotFound|NotFileSystem)'
        $failures | Should -HaveCount 2
        $groups | Should -HaveCount 2
    }

    It 'passes over links from a pipeline, and follows them by name' {
        Invoke-Tool ln -s one tree/link
        $said = Get-ChildItem tree | Find-BtrfsDuplicate -Verbose 4>&1
        $said | Where-Object { "$_" -like '*neither*' } | Should -BeLike '*tree/link*'
        Find-BtrfsDuplicate tree/link, tree/one | Should -BeNullOrEmpty
        (Find-BtrfsDuplicate tree/link, tree/three).Places.Path | Sort-Object | Should -Be "$folder/tree/one", "$folder/tree/three"
    }

    It 'reports a file that it cannot read, and searches the others' -Skip:(-not $root) {
        Invoke-Tool chmod -R a+rX $folder
        chmod 000 tree/three
        $json = Invoke-AsUser "`$groups = Find-BtrfsDuplicate '$folder/tree' -ErrorVariable failures -ErrorAction SilentlyContinue; @{ Ids = @(`$failures.FullyQualifiedErrorId); Items = @(`$failures.TargetObject); Groups = @(`$groups) } | ConvertTo-Json -Depth 5"
        $said = "$json" | ConvertFrom-Json
        $said.Ids | Should -BeLike 'PermissionDenied,*'
        $said.Items | Should -Be "$folder/tree/three"
        $said.Groups | Should -HaveCount 2
        $said.Groups.Places.Path | Should -Not -Contain "$folder/tree/three"
    }

    It 'writes groups that print as a table, bind to other cmdlets and survive export, JSON and merging after it' {
        $groups = @(Find-BtrfsDuplicate tree)
        $lines = ($groups | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount (2 + 3 + 2)
        $lines[0] | Should -Match '^Reclaimable\s+Length\s+Count\s+Kind\s+Places'
        $lines[2] | Should -Match "^\s*128 KiB\s+64 KiB\s+3\s+File\s+$folder/tree/"
        $lines[5] | Should -Match "^\s*0 B\s+32 KiB\s+2\s+Range\s+$folder/tree/\w+@(20480|32768)\s*$"
        $lines[6] | Should -Match "^\s*$folder/tree/\w+@(20480|32768)\s*$"
        ($groups[1] | Get-Item).Name | Should -Contain 'image'
        ($groups[1] | Get-BtrfsExtent).Path | Should -Contain "$folder/tree/image"
        $groups | Export-Clixml groups.xml
        ConvertTo-Text (Import-Clixml groups.xml) | Should -Be (ConvertTo-Text $groups)
        $json = $groups | ConvertTo-Json -Depth 4 | ConvertFrom-Json
        $json[0].Places[0].Path | Should -Be $groups[0].Places[0].Path
        $merged = Import-Clixml groups.xml | Merge-BtrfsItem
        ($merged | Measure-Object DedupedLength -Sum).Sum | Should -BeGreaterOrEqual (2 * 65536 + 32768)
        Find-BtrfsDuplicate tree | Should -BeNullOrEmpty
    }

    It 'merges what has changed meanwhile no more' {
        $groups = @(Find-BtrfsDuplicate tree)
        $last = $groups[0].Places[-1].Path
        Invoke-Tool dd if=/dev/urandom "of=$last" bs=4096 count=1 conv=notrunc status=none
        $sum = (Get-FileHash $last).Hash
        $result = $groups[0] | Merge-BtrfsItem | Where-Object Path -EQ $last
        $result.DifferentLength | Should -BeGreaterThan 0
        (Get-FileHash $last).Hash | Should -Be $sum
        Remove-Item $groups[0].Places[0].Path
        { $groups[0] | Merge-BtrfsItem -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
    }
}
