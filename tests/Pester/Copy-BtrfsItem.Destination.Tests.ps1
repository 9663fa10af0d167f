BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem with a destination for each item' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        $null = New-Item -ItemType Directory tree/sub/deep, ours, theirs
        foreach ($file in 'a', 'b', 'c[1]', 'tree/f', 'tree/sub/g', 'tree/sub/deep/h') {
            Set-Content -LiteralPath $file $file
        }
    }

    AfterEach {
        Pop-Location
    }

    It 'gives each item the destination that a script block says, as Copy-Item does' -ForEach @{}, @{ Atomic = $true } {
        $options = $_
        Get-ChildItem -File | Copy-BtrfsItem -Destination { "ours/$($_.Name).bak" } @options
        Get-ChildItem -File | Copy-Item -Destination { "theirs/$($_.Name).bak" }
        diff -r ours theirs | Should -BeNullOrEmpty
        Get-EntryName ours | Should -HaveCount 3
    }

    It 'puts an item into a directory that is there, as Copy-Item does' {
        Get-Item a, b | Copy-BtrfsItem -Destination { $_.Name -eq 'a' ? 'ours' : 'ours/new' }
        Get-Item a, b | Copy-Item -Destination { $_.Name -eq 'a' ? 'theirs' : 'theirs/new' }
        diff -r ours theirs | Should -BeNullOrEmpty
        Get-EntryName ours | Should -Be 'a', 'new'
    }

    It 'takes both paths from the columns of a list, the first without wildcards' {
        'Path,Destination', 'c[1],one', 'tree,two', 'a,ours' | Set-Content list.csv
        $results = Import-Csv list.csv | Copy-BtrfsItem -PassThru -ErrorAction Stop
        $results.Path | Should -Be "$PWD/one", "$PWD/two", "$PWD/ours/a"
        Get-Content one | Should -Be 'c[1]'
        diff -r tree two | Should -BeNullOrEmpty
    }

    It 'clones a tree once whose items come one by one, and each to the place that it has in that' -ForEach @{}, @{ Atomic = $true } {
        $options = $_
        $verbose = Get-ChildItem tree -Recurse |
            Copy-BtrfsItem -Destination { $_.FullName.Replace("$PWD/tree", "$PWD/ours") } -ErrorAction Stop -Verbose @options 4>&1
        diff -r tree ours | Should -BeNullOrEmpty
        @($verbose -match 'is part of').Count | Should -Be 3
    }

    It 'clones an item of such a tree again that goes elsewhere' {
        Get-ChildItem tree -Recurse | Copy-BtrfsItem -Destination { "ours/$($_.Name).flat" } -ErrorAction Stop
        Get-EntryName ours | Should -Be (@('deep.flat', 'deep.flat/h', 'f.flat', 'g.flat', 'h.flat') +
            @('', '/deep', '/deep/h', '/g' | ForEach-Object { "sub.flat$_" }))
    }

    It 'replaces nothing that it has just made, and puts nothing into it' {
        'Path,Destination', 'a,one', 'b,one', 'tree/sub,two', 'tree,two' | ConvertFrom-Csv |
            Copy-BtrfsItem -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -BeLike 'JustCreated,*'
        $failures.TargetObject | Should -Be "$PWD/one", "$PWD/two"
        Get-Content one | Should -Be 'a'
        diff -r tree/sub two | Should -BeNullOrEmpty
    }

    It 'takes each destination for a name with -NoTargetDirectory' {
        Get-Item tree/sub | Copy-BtrfsItem -Destination { 'ours' } -NoTargetDirectory -ErrorAction Stop
        diff -r tree/sub ours | Should -BeNullOrEmpty
    }

    It 'clones a file once that several objects in a row stand for' {
        Set-Content tree/f 1, 2, 3
        $results = Select-String . tree/f, tree/sub/g | Copy-BtrfsItem -Destination new -PassThru -ErrorAction Stop
        $results.Path | Should -Be "$PWD/new/f", "$PWD/new/g"
    }

    It 'makes nothing with -Atomic whose destinations are in several directories' {
        Get-Item a, b | Copy-BtrfsItem -Destination { "$($_.Name -eq 'a' ? 'ours' : 'theirs')/new" } -Atomic -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId -replace ',.*' | Should -Be 'SeveralDirectories', 'Incomplete'
        $failures[0].TargetObject | Should -Be "$PWD/theirs/new"
        'ours', 'theirs' | ForEach-Object { Get-EntryName $_ } | Should -BeNullOrEmpty
    }

    It 'goes on after a script block that fails, and one that leads to another provider' {
        $results = Get-Item -LiteralPath a, b, 'c[1]' | Copy-BtrfsItem -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue -Destination {
            switch ($_.Name) { a { throw 'no' } b { 'Env:x' } default { 'new' } }
        }
        $failures.FullyQualifiedErrorId -replace ',.*' | Should -Be 'ScriptBlockArgumentInvocationFailed', 'NotFileSystem'
        $results.Path | Should -Be "$PWD/new"
    }

    It 'refuses -RelativeBasePath' {
        { Get-Item a | Copy-BtrfsItem -Destination { 'new' } -RelativeBasePath . -ErrorAction Stop } |
            Should -Throw -ErrorId 'OneDestinationOnly,*'
    }
}

Describe 'Other cmdlets with a destination for each item' {
    BeforeEach {
        Push-Location (New-ScratchFolder)
        Invoke-Tool dd if=/dev/urandom of=a bs=4096 count=4 conv=fsync status=none
        Copy-Item a b
    }

    AfterEach {
        Pop-Location
    }

    It 'are Sync-BtrfsItem' {
        $results = Get-Item a, b | Sync-BtrfsItem -Destination { "$($_.Name).synced" }
        $results.Path | Should -Be "$PWD/a.synced", "$PWD/b.synced"
        Invoke-Tool cmp a a.synced
        Invoke-Tool cmp b b.synced
    }

    It 'and Copy-BtrfsRange, with its offsets, which a string has not' {
        'Path,Offset,Length,Destination,DestinationOffset', 'a,0,4096,one,8192', 'b,8192,4096,two,0' | ConvertFrom-Csv |
            Copy-BtrfsRange -ErrorAction Stop
        Invoke-Tool cmp -n 4096 a one 0 8192
        Invoke-Tool cmp -n 4096 b two 8192 0
        'a', (Get-Item b) | Copy-BtrfsRange -Destination { "$_.whole" -replace '^.*/' } -ErrorAction Stop
        Invoke-Tool cmp a a.whole
        Invoke-Tool cmp b b.whole
    }

    It 'and an offset that is empty is an error' {
        'Path,Destination,DestinationOffset', 'a,one,' | ConvertFrom-Csv | Copy-BtrfsRange -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentValidationError,*'
        Test-Path one | Should -BeFalse
    }
}
