BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem replaces nothing by itself' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        Set-Content foo 'precious'
        $null = New-Item -ItemType SymbolicLink -Path link -Target foo
    }

    AfterEach {
        Pop-Location
    }

    It 'neither a link <options.Keys>' -ForEach @{ options = @{} }, @{ options = @{ Atomic = $true } }, @{ options = @{ Force = $true } } {
        $result = Copy-BtrfsItem link foo @options -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $result | Should -BeNullOrEmpty
        $failures[0].FullyQualifiedErrorId | Should -Be 'SameFile,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failures[0].TargetObject | Should -Be (Join-Path $PWD foo)
        Get-Content foo | Should -Be 'precious'
        (Get-Item foo).LinkType | Should -BeNullOrEmpty
        Get-EntryName . | Should -Be 'foo', 'link'
    }

    It 'nor what a link leads to' {
        { Copy-BtrfsItem foo link -ErrorAction Stop } | Should -Throw -ErrorId 'SameFile,*'
        (Get-Item link).LinkTarget | Should -Be 'foo'
    }

    It 'nor an entry of a tree' {
        $null = New-Item -ItemType Directory src, dst/src
        Set-Content dst/src/f 'precious'
        $null = New-Item -ItemType SymbolicLink -Path src/f -Target ../dst/src/f
        $result = Copy-BtrfsItem src dst -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -BeLike 'SameFile,*'
        $result.Failed | Should -Be 1
        Get-Content dst/src/f | Should -Be 'precious'
    }
}

Describe 'Copy-BtrfsItem does not replace what it has just made' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        $null = New-Item -ItemType Directory photos/2023, photos/2024
        Set-Content photos/2023/beach 'first'
        Set-Content photos/2024/beach 'second'
        Set-Content photos/2024/lake 'lake'
    }

    AfterEach {
        Pop-Location
    }

    It 'in <place>' -ForEach @{ place = 'a new directory' }, @{ place = 'an existing directory' } {
        if ($place -like '*existing*') {
            $null = New-Item -ItemType Directory flat
            Set-Content flat/beach 'old'
        }

        $results = Get-ChildItem photos -Recurse -File | Copy-BtrfsItem -Destination flat -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Be 'JustCreated,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failures[0].CategoryInfo.Category | Should -Be 'ResourceExists'
        $failures[0].TargetObject | Should -Be (Join-Path $PWD flat/beach)
        $failures[0].ErrorDetails.RecommendedAction | Should -Match '-RelativeBasePath'
        $results.Source | Split-Path -Leaf | Should -Be 'beach', 'lake'
        Get-Content flat/beach, flat/lake | Should -Be 'first', 'lake'
    }

    It 'so that with -Atomic nothing appears' {
        $results = Get-ChildItem photos -Recurse -File | Copy-BtrfsItem -Destination flat -Atomic -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -Be (@('JustCreated', 'Incomplete') | ForEach-Object { "$_,BtrfsClone.PowerShell.CopyBtrfsItemCommand" })
        $results | Should -BeNullOrEmpty
        Get-EntryName . | Should -Not -Contain 'flat'
    }

    It 'and takes -RelativeBasePath, as it says' {
        Get-ChildItem photos -Recurse -File | Copy-BtrfsItem -Destination kept -RelativeBasePath photos -ErrorAction Stop
        Get-EntryName kept | Should -Be '2023', '2023/beach', '2024', '2024/beach', '2024/lake'
    }

    It 'but merges directories of one name, and refuses the files in them that meet' {
        $null = New-Item -ItemType Directory a/d, b/d, c/d
        'first' | Set-Content a/d/f
        'second' | Set-Content b/d/f, b/d/g
        'old' | Set-Content c/d/f, c/d/g
        $results = Copy-BtrfsItem a/d, b/d c -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -BeLike 'JustCreated,*'
        $failures.TargetObject | Should -Be (Join-Path $PWD c/d/f)
        $results.Failed | Should -Be 0, 1
        Get-Content c/d/f, c/d/g | Should -Be 'first', 'second'
    }

    It 'and clones a directory that it is given twice once' {
        $verbose = Get-Item photos, photos | Copy-BtrfsItem -Destination into -ErrorAction Stop -Verbose 4>&1
        $verbose[-1].Message | Should -Match 'photos.*is part of'
        Get-EntryName into/photos | Should -Be (Get-EntryName photos)
    }
}
