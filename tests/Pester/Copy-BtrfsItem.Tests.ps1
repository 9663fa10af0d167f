BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem clones a tree' {
    BeforeAll {
        $folder = New-ScratchFolder
        $src = New-Tree "$folder/src"
    }

    BeforeEach {
        $dst = Join-Path (New-ScratchFolder) 'dst'
    }

    It 'that is named, under a new name, without writing data' {
        $before = Get-DataUsed $folder
        Copy-BtrfsItem $src $dst
        Compare-Tree $src $dst | Should -BeNullOrEmpty
        stat -c '%f %u %g %X %Y %y' $dst | Should -Be (stat -c '%f %u %g %X %Y %y' $src)
        Get-DataUsed $folder | Should -Be $before
    }

    It 'whose items come from Get-ChildItem' {
        Get-ChildItem $src -Force | Copy-BtrfsItem -Destination $dst
        Compare-Tree $src $dst | Should -BeNullOrEmpty
    }

    It 'whose items come from Get-ChildItem -Recurse, nothing twice and nothing flattened' {
        Get-ChildItem $src -Recurse -Force | Copy-BtrfsItem -Destination $dst
        Compare-Tree $src $dst | Should -BeNullOrEmpty
    }

    It 'and says which items it passes over as part of a clone' {
        $verbose = Get-Item "$src/dir2", "$src/dir2/other.iso" | Copy-BtrfsItem -Destination $dst -Verbose 4>&1
        $verbose[-1].Message | Should -Match 'dir2/other.iso.*is part of'
        Get-ChildItem $dst -Name | Should -Be 'dir2'
    }

    It 'and takes the items of a directory that could not be cloned for parts of that' {
        $null = New-Item -ItemType Directory $dst
        Set-Content "$dst/dir2" 'in the way'
        Get-Item "$src/dir2", "$src/dir2/other.iso" | Copy-BtrfsItem -Destination $dst -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'DestinationExists,*'
        Get-ChildItem $dst -Name | Should -Be 'dir2'
    }

    It 'and with -RelativeBasePath keeps the folders of single files, with their metadata' {
        Push-Location $src
        try {
            Get-ChildItem -Recurse -File -Filter *.iso | Copy-BtrfsItem -Destination $dst -RelativeBasePath .
        } finally {
            Pop-Location
        }

        $expected = 'dir [x]', 'dir [x]/deep', 'dir [x]/deep/er', 'dir [x]/deep/er/file.iso', 'dir2', 'dir2/other.iso'
        Get-EntryName $dst | Should -Be ($expected | Sort-Object -CaseSensitive)
        foreach ($name in $expected) {
            stat -c '%f %u %g %y' "$dst/$name" | Should -Be (stat -c '%f %u %g %y' "$src/$name")
        }
    }

    It 'with as many threads as -ThrottleLimit says' -ForEach 1, 3 {
        Copy-BtrfsItem $src $dst -ThrottleLimit $_
        Compare-Tree $src $dst | Should -BeNullOrEmpty
    }

    It 'again into the clone' {
        Copy-BtrfsItem $src $dst
        Get-ChildItem $src -Force | Copy-BtrfsItem -Destination $dst -Force
        Compare-Tree $src $dst | Should -BeNullOrEmpty
    }

    It 'as an ordinary user' -Skip:(-not $root) {
        $own = New-ScratchFolder
        chmod 777 $own
        setpriv --reuid 65534 --regid 65534 --clear-groups sh "$PSScriptRoot/make-tree.sh" "$own/src"
        Invoke-AsUser "Copy-BtrfsItem '$own/src' '$own/dst'" | Should -BeNullOrEmpty
        Compare-Tree "$own/src" "$own/dst" | Should -BeNullOrEmpty
    }

    It 'as an ordinary user without setuid and setgid where the owner is another' -Skip:(-not $root) {
        $own = New-ScratchFolder
        chmod 777 $own
        'x' | Set-Content "$own/suid"
        chmod 6755 "$own/suid"
        Invoke-AsUser "Copy-BtrfsItem '$own/suid' '$own/copy'" | Should -BeNullOrEmpty
        stat -c '%a %u %g' "$own/copy" | Should -Be '755 65534 65534'
    }
}

Describe 'Copy-BtrfsItem chooses the place' {
    BeforeEach {
        $folder = New-ScratchFolder
        Set-Content "$folder/one" 'one'
        Set-Content "$folder/two" 'two'
        $null = New-Item -ItemType Directory "$folder/dir", "$folder/tree/sub"
        Set-Content "$folder/tree/sub/leaf" 'leaf'
        Push-Location $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'in an existing directory, under the own name' {
        Copy-BtrfsItem one dir
        Copy-BtrfsItem tree dir
        Get-EntryName dir | Should -Be 'one', 'tree', 'tree/sub', 'tree/sub/leaf'
    }

    It 'under the new name of a single item' {
        Copy-BtrfsItem one new
        Get-Content new | Should -Be 'one'
    }

    It 'in a new directory for <name>' -ForEach @(
        @{ name = 'several items'; clone = { Copy-BtrfsItem one, two new } }
        @{ name = 'several literal items'; clone = { Copy-BtrfsItem -LiteralPath one, two -Destination new } }
        @{ name = 'a wildcard'; clone = { Copy-BtrfsItem [ot]?[eo] new } }
        @{ name = 'items from the pipeline'; clone = { Get-Item one, two | Copy-BtrfsItem -Destination new } }
        @{ name = 'names from the pipeline'; clone = { 'one', 'two' | Copy-BtrfsItem -Destination new } }
        @{ name = 'objects given as arguments'; clone = { Copy-BtrfsItem (Get-Item one, two) new } }
    ) {
        & $clone
        Get-EntryName new | Should -Be 'one', 'two'
    }

    It 'in a new directory for one match of a wildcard' {
        Copy-BtrfsItem on? new
        Get-EntryName new | Should -Be 'one'
    }

    It 'in a new directory for one item from the pipeline' {
        Get-Item one | Copy-BtrfsItem -Destination new
        Get-EntryName new | Should -Be 'one'
    }

    It 'literally' {
        $null = New-Item -ItemType Directory 'd1'
        $null = New-Item -ItemType Directory 'd[1]'
        Copy-BtrfsItem one 'd[1]'
        Copy-BtrfsItem one '*'
        Get-EntryName 'd[1]' | Should -Be 'one'
        Get-EntryName 'd1' | Should -BeNullOrEmpty
        Test-Path -LiteralPath '*' -PathType Leaf | Should -BeTrue
    }

    It 'on a PSDrive and in the session''s location, not in the process''s' {
        [Environment]::CurrentDirectory | Should -Not -Be $folder
        $null = New-PSDrive Scratch FileSystem $folder
        try {
            Copy-BtrfsItem Scratch:/one Scratch:/dir
            Set-Location Scratch:/tree
            Copy-BtrfsItem ../two here
        } finally {
            Set-Location $folder
            Remove-PSDrive Scratch
        }

        Get-EntryName dir | Should -Be 'one'
        Get-Content tree/here | Should -Be 'two'
    }

    It 'and merges into an existing directory' {
        Copy-BtrfsItem tree dir
        Set-Content dir/tree/other 'other'
        Set-Content tree/sub/leaf 'changed'
        Copy-BtrfsItem tree dir
        Get-EntryName dir | Should -Be 'tree', 'tree/other', 'tree/sub', 'tree/sub/leaf'
        Get-Content dir/tree/sub/leaf | Should -Be 'changed'
    }
}

Describe 'Copy-BtrfsItem finds the items' {
    BeforeEach {
        $folder = New-ScratchFolder
        $dst = Join-Path (New-ScratchFolder) 'dst'
        Push-Location $folder
        foreach ($file in 'a1.txt', 'a[1].txt', 'b`c', '-d', '.hidden', "new`nline") {
            [IO.File]::WriteAllText("$folder/$file", $file)
        }
    }

    AfterEach {
        Pop-Location
    }

    It 'by <name>' -ForEach @(
        @{ name = 'a wildcard'; expected = 'a1.txt'; clone = { Copy-BtrfsItem 'a[1].txt' $dst } }
        @{ name = 'an escaped path'; expected = 'a[1].txt'; clone = { Copy-BtrfsItem 'a`[1`].txt', 'a1.txt' $dst } }
        @{ name = '-LiteralPath'; expected = 'a[1].txt'; clone = { $null = mkdir $dst; Copy-BtrfsItem -LiteralPath 'a[1].txt' -Destination $dst } }
        @{ name = '-LP'; expected = 'b`c'; clone = { $null = mkdir $dst; Copy-BtrfsItem -LP 'b`c' -Destination $dst } }
        @{ name = '-PSPath'; expected = 'b`c'; clone = { $null = mkdir $dst; Copy-BtrfsItem -PSPath 'b`c' -Destination $dst } }
        @{ name = 'an item of the pipeline'; expected = 'a[1].txt'; clone = { Get-Item -LiteralPath 'a[1].txt' | Copy-BtrfsItem -Destination $dst } }
        @{ name = 'a bare FileInfo'; expected = 'a[1].txt'; clone = { [IO.FileInfo]::new("$folder/a[1].txt") | Copy-BtrfsItem -Destination $dst } }
        @{ name = 'an object with a PSPath'; expected = 'b`c'; clone = { [pscustomobject]@{ PSPath = "$folder/b``c" } | Copy-BtrfsItem -Destination $dst } }
    ) {
        & $clone
        [IO.File]::ReadAllText("$dst/$expected") | Should -Be $expected
    }

    It 'with any name, from the pipeline' {
        Get-ChildItem -File -Force | Copy-BtrfsItem -Destination $dst
        Get-EntryName $dst | Should -Be (Get-EntryName $folder)
    }

    It 'with any name, given as arguments' {
        Copy-BtrfsItem (Get-ChildItem -File -Force) $dst
        Get-EntryName $dst | Should -Be (Get-EntryName $folder)
    }

    It 'with a backslash in the name, from the pipeline' {
        Invoke-Tool sh -c 'printf x > back\\slash'
        [IO.FileInfo]::new("$folder/back\slash") | Copy-BtrfsItem -Destination $dst
        Get-EntryName $dst | Should -Be 'back\slash'
    }

    It 'and is silent where a wildcard matches nothing' {
        Copy-BtrfsItem 'nothing*' $dst -ErrorVariable failures
        $failures | Should -BeNullOrEmpty
        Test-Path $dst | Should -BeFalse
    }

    It 'and reports <path> as <id>' -ForEach @(
        @{ path = 'missing'; id = 'SourceNotFound'; category = 'ObjectNotFound' }
        @{ path = 'missing/*'; id = 'SourceNotFound'; category = 'ObjectNotFound' }
        @{ path = 'Env:HOME'; id = 'NotFileSystem'; category = 'InvalidArgument' }
        @{ path = 'Env:*'; id = 'NotFileSystem'; category = 'InvalidArgument' }
        @{ path = 'NoDrive:/x'; id = 'DriveNotFound'; category = 'ObjectNotFound' }
        @{ path = "a1.txt`0x"; id = 'InvalidPath'; category = 'InvalidArgument' }
    ) {
        Copy-BtrfsItem $path $dst -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Be "$id,BtrfsClone.PowerShell.CopyBtrfsItemCommand"
        $failures[0].CategoryInfo.Category | Should -Be $category
        # A drive is PowerShell's matter, and so is that error.
        if ($id -ne 'DriveNotFound') {
            $failures[0].ErrorDetails.RecommendedAction | Should -Match '^[A-Z].*\.$'
        }

        Test-Path $dst | Should -BeFalse
    }

    It 'and ends where the destination is <path>' -ForEach @(
        @{ path = 'Env:X'; id = 'NotFileSystem' }
        @{ path = 'NoDrive:/x'; id = 'DriveNotFound' }
        @{ path = "x`0y"; id = 'InvalidPath' }
    ) {
        { Copy-BtrfsItem a1.txt $path } | Should -Throw -ErrorId "$id,BtrfsClone.PowerShell.CopyBtrfsItemCommand"
    }

    It 'where the location itself is gone' {
        $gone = (New-Item -ItemType Directory gone).FullName
        Set-Location $gone
        Invoke-Tool rmdir $gone
        try {
            Copy-BtrfsItem "$folder/a1.txt" $dst
            Copy-BtrfsItem a1.txt "$dst.2" -ErrorVariable failures -ErrorAction SilentlyContinue
        } finally {
            Set-Location $folder
        }

        Test-Path $dst | Should -BeTrue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
    }
}

Describe 'Copy-BtrfsItem -Include and -Exclude' {
    BeforeAll {
        $folder = New-ScratchFolder
        $src = "$folder/src"
        foreach ($file in 'a.cs', 'b.txt', 'obj/c.cs', 'sub/d.cs', 'sub/e.log', 'sub/obj/f.cs', 'sub/F.CS') {
            $null = New-Item -ItemType File -Force "$src/$file"
        }
    }

    BeforeEach {
        $dst = Join-Path (New-ScratchFolder) 'dst'
    }

    It 'takes the files that <name> leaves' -ForEach @(
        @{ name = '-Include *.cs'; filter = @{ Include = '*.cs' }; expected = 'a.cs', 'obj/c.cs', 'sub/F.CS', 'sub/d.cs', 'sub/obj/f.cs' }
        @{ name = '-Exclude obj, *.log'; filter = @{ Exclude = 'obj', '*.log' }; expected = 'a.cs', 'b.txt', 'sub/F.CS', 'sub/d.cs' }
        @{ name = '-Include *.cs, *.txt -Exclude obj'; filter = @{ Include = '*.cs', '*.txt'; Exclude = 'obj' }; expected = 'a.cs', 'b.txt', 'sub/F.CS', 'sub/d.cs' }
        @{ name = '-Exclude obj/'; filter = @{ Exclude = 'obj/' }; expected = 'a.cs', 'b.txt', 'sub/F.CS', 'sub/d.cs', 'sub/e.log' }
        @{ name = '-Exclude sub/obj, /obj/C.*'; filter = @{ Exclude = 'sub/obj', '/obj/C.*' }; expected = 'a.cs', 'b.txt', 'sub/F.CS', 'sub/d.cs', 'sub/e.log' }
        @{ name = '-Include sub/**'; filter = @{ Include = 'sub/**' }; expected = 'sub/F.CS', 'sub/d.cs', 'sub/e.log', 'sub/obj/f.cs' }
        @{ name = '-Include [ab].*'; filter = @{ Include = '[ab].*' }; expected = 'a.cs', 'b.txt' }
    ) {
        Copy-BtrfsItem $src $dst @filter
        Invoke-Tool find $dst -type f -printf '%P\n' | Sort-Object -CaseSensitive | Should -Be ($expected | Sort-Object -CaseSensitive)
    }

    It 'does not enter an excluded directory' {
        Copy-BtrfsItem $src $dst -Exclude obj
        Get-EntryName $dst | Should -Not -Contain 'obj'
    }

    It 'applies to items that wildcards and the pipeline bring, and to what is below them' {
        Copy-BtrfsItem $src/* $dst -Exclude *.txt, obj, e.log
        Get-EntryName $dst | Should -Be ('a.cs', 'sub', 'sub/d.cs', 'sub/F.CS' | Sort-Object -CaseSensitive)
        Get-ChildItem $src -Recurse | Copy-BtrfsItem -Destination "$dst-2" -Exclude *.txt, obj, e.log
        Get-EntryName "$dst-2" | Should -Be ('a.cs', 'sub', 'sub/d.cs', 'sub/F.CS' | Sort-Object -CaseSensitive)
        Get-ChildItem $src -Recurse -File | Copy-BtrfsItem -Destination "$dst-3" -RelativeBasePath $src -Exclude *.txt, sub/obj
        Get-EntryName "$dst-3" | Should -Be ('a.cs', 'obj', 'obj/c.cs', 'sub', 'sub/d.cs', 'sub/e.log', 'sub/F.CS' | Sort-Object -CaseSensitive)
        Get-ChildItem $src -Recurse | Copy-BtrfsItem -Destination "$dst-4" -Include *.cs -Exclude obj
        Get-EntryName "$dst-4" | Should -Be ('a.cs', 'sub', 'sub/d.cs', 'sub/F.CS' | Sort-Object -CaseSensitive)
    }

    It 'takes the rules of -ExcludeFrom' {
        Set-Content "$folder/rules" '*.cs', '!/sub/d.cs', 'obj/'
        Copy-BtrfsItem $src $dst -ExcludeFrom "$folder/rules"
        Get-EntryName $dst | Should -Be ('b.txt', 'sub', 'sub/d.cs', 'sub/e.log', 'sub/F.CS' | Sort-Object -CaseSensitive)
        Copy-BtrfsItem $src/* "$dst-items" -ExcludeFrom "$folder/rules"
        Get-EntryName "$dst-items" | Should -Be ('b.txt', 'sub', 'sub/e.log', 'sub/F.CS' | Sort-Object -CaseSensitive) -Because 'rules begin at each item'
    }

    It 'refuses <pattern>, which can never match' -ForEach @(
        @{ pattern = './a' }, @{ pattern = 'a//b' }, @{ pattern = '/' }, @{ pattern = '' }
    ) {
        { Copy-BtrfsItem $src $dst -Exclude $pattern } | Should -Throw -ErrorId 'InvalidPattern,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        { Copy-BtrfsItem $src $dst -ExcludeFrom "$folder/missing" } | Should -Throw -ErrorId 'SourceNotFound,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        Test-Path $dst | Should -BeFalse
    }

    It 'matches hidden names by wildcards with -Force, as Copy-Item does' {
        Set-Content "$src/.hidden" 'x'
        Copy-Item $src/* (New-Item -ItemType Directory "$dst-item") -Force -Recurse
        Copy-BtrfsItem $src/* $dst -Force
        Get-EntryName $dst | Should -Be (Get-EntryName "$dst-item")
        Copy-BtrfsItem $src/* "$dst-plain"
        Get-EntryName "$dst-plain" | Should -Not -Contain '.hidden'
        Remove-Item -Force "$src/.hidden"
    }

    It 'does not apply to the given items' {
        Copy-BtrfsItem "$src/a.cs" $dst -Exclude 'a.cs'
        Test-Path $dst | Should -BeTrue
    }
}

Describe 'Copy-BtrfsItem -NoRecurse' {
    It 'clones a directory alone, also in its old form, and not beside -Recurse' {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory "$folder/src/below"
        Set-Content "$folder/src/file" 'x'
        chmod 2751 "$folder/src"
        Copy-BtrfsItem "$folder/src" "$folder/new" -NoRecurse
        Copy-BtrfsItem "$folder/src" "$folder/old" -Recurse:$false
        Copy-BtrfsItem "$folder/src" "$folder/all" -Recurse
        Get-EntryName $folder | Should -Be 'all', 'all/below', 'all/file', 'new', 'old', 'src', 'src/below', 'src/file'
        stat -c %a "$folder/new" "$folder/old" | Should -Be '2751', '2751'
        { Copy-BtrfsItem "$folder/src" "$folder/both" -NoRecurse -Recurse } | Should -Throw -ErrorId 'ParametersNotTogether,*'
    }
}

Describe 'Copy-BtrfsItem -Container' {
    It 'is always so, and an error that says what to use where it is not' {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType File -Force "$folder/src/file"
        Copy-BtrfsItem "$folder/src" "$folder/dst" -Container
        "$folder/dst/file" | Should -Exist
        $failure = { Copy-BtrfsItem "$folder/src" "$folder/flat" -Container:$false } |
            Should -Throw -ErrorId 'ContainerNotSupported,*' -PassThru
        $failure.ErrorDetails.RecommendedAction | Should -Match '-NoTargetDirectory'
        "$folder/flat" | Should -Not -Exist
    }
}

Describe 'Copy-BtrfsItem -Backup and -Update' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory old
        Set-Content file 'new'
        Set-Content old/file 'old'
    }

    AfterEach {
        Pop-Location
    }

    It 'keeps what is replaced' {
        Get-ChildItem file | Copy-BtrfsItem -Destination old -Backup Numbered
        Copy-BtrfsItem file old -Backup Numbered
        Copy-BtrfsItem file old -Backup Simple
        Get-EntryName old | Should -Be 'file', 'file.~1~', 'file.~2~', 'file~'
        Get-Content old/file.~1~ | Should -Be 'old'
        Get-Content old/file~ | Should -Be 'new'
    }

    It 'replaces only what is older' {
        (Get-Item old/file).LastWriteTime = (Get-Item file).LastWriteTime.AddSeconds(1)
        Copy-BtrfsItem file old -Update
        Get-Content old/file | Should -Be 'old'
        (Get-Item old/file).LastWriteTime = (Get-Item file).LastWriteTime.AddSeconds(-1)
        Copy-BtrfsItem file old -Update
        Get-Content old/file | Should -Be 'new'
    }

    It 'refuses both with -Atomic' {
        { Copy-BtrfsItem file old -Atomic -Update } | Should -Throw -ErrorId 'ParametersNotTogether,*'
        { Copy-BtrfsItem file old -Atomic -Backup Simple } | Should -Throw -ErrorId 'ParametersNotTogether,*'
    }
}

Describe 'Copy-BtrfsItem -Atomic' {
    BeforeEach {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory "$folder/tree/sub", "$folder/into"
        Set-Content "$folder/one" 'one'
        Set-Content "$folder/two" 'two'
        Set-Content "$folder/tree/sub/leaf" 'leaf'
        Push-Location $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'clones a tree with all that belongs to it, and writes its result when it is there' {
        $src = New-Tree "$folder/src"
        $result = Copy-BtrfsItem $src new -Atomic -PassThru | ForEach-Object { [pscustomobject]@{ Path = $_.Path; Was = Test-Path $_.Path } }
        $result.Path | Should -Be "$folder/new"
        $result.Was | Should -BeTrue
        Compare-Tree $src new | Should -BeNullOrEmpty
    }

    It 'lets a new directory appear after the last item of the pipeline' {
        $seen = Get-Item one, two, tree | ForEach-Object { Test-Path new; $_ } -OutVariable all | Where-Object { $_ -isnot [bool] } |
            Copy-BtrfsItem -Destination new -Atomic -PassThru
        $all -eq $true | Should -BeNullOrEmpty
        $seen | Should -HaveCount 3
        Get-EntryName new | Should -Be 'one', 'tree', 'tree/sub', 'tree/sub/leaf', 'two'
    }

    It 'keeps relative paths' {
        Get-ChildItem -Recurse -File -Filter leaf | Copy-BtrfsItem -Destination new -RelativeBasePath . -Atomic
        Get-EntryName new | Should -Be 'tree', 'tree/sub', 'tree/sub/leaf'
    }

    It 'lets nothing appear where <name>' -ForEach @(
        @{ name = 'an item is missing'; ids = 'SourceNotFound', 'Incomplete'; clone = { Copy-BtrfsItem one, missing, two new -Atomic -PassThru @silent } }
        @{ name = 'an item is on no file system'; ids = 'NotFileSystem', 'Incomplete'; clone = { Copy-BtrfsItem one, Env:HOME new -Atomic -PassThru @silent } }
        @{ name = 'the only item is missing'; ids = 'SourceNotFound'; clone = { Copy-BtrfsItem missing new -Atomic -PassThru @silent } }
        @{ name = 'a directory exists'; ids = 'DestinationExists'; clone = { $null = mkdir into/tree; Copy-BtrfsItem tree into -Atomic -PassThru @silent; rmdir into/tree } }
        @{ name = 'an error ends the pipeline'; ids = @(); clone = { try { Copy-BtrfsItem one, missing new -Atomic -PassThru -ErrorAction Stop } catch { $null } } }
        @{ name = 'the pipeline breaks off'; ids = @(); clone = { try { & { 'one'; throw 'x' } | Copy-BtrfsItem -Destination new -Atomic -PassThru } catch { $null } } }
    ) {
        $silent = @{ ErrorAction = 'SilentlyContinue'; ErrorVariable = 'failures' }
        $failures = @()
        . $clone | Should -BeNullOrEmpty
        @($failures | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { ($_.FullyQualifiedErrorId -split ',')[0] }) | Should -Be $ids
        Get-EntryName $folder | Should -Be 'into', 'one', 'tree', 'tree/sub', 'tree/sub/leaf', 'two'
    }

    Context 'where what it has made cannot be removed again' {
        BeforeEach {
            $null = btrfs subvolume create frozen
        }

        AfterEach {
            btrfs property set -ts frozen ro false
        }

        It 'says where it stays' -Skip:(-not $root) {
            & { 'one'; btrfs property set -ts frozen ro true; 'missing' } |
                Copy-BtrfsItem -Destination frozen/new -Atomic -ErrorAction SilentlyContinue -ErrorVariable failures
            $failures.ForEach{ ($_.FullyQualifiedErrorId -split ',')[0] } | Should -Be 'SourceNotFound', 'LeftBehind', 'Incomplete'
            $failures[1].TargetObject | Should -Be (Get-Item "$folder/frozen/.btrfs-clone-atomic.*" -Force).FullName
            btrfs property set -ts frozen ro false
            Copy-BtrfsItem one frozen/new -Atomic
            (Get-ChildItem frozen -Force).Name | Should -Be 'new'
        }

        It 'says so too after the pipeline has ended' -Skip:(-not $root) {
            $lines = pwsh -NoProfile -Command {
                param($module, $folder)
                Import-Module $module
                & { "$folder/one"; btrfs property set -ts "$folder/frozen" ro true; throw 'broken off' } |
                    Copy-BtrfsItem -Destination "$folder/frozen/new" -Atomic
            } -args (Get-Module BtrfsClone).Path, $folder 2>&1 | Out-String
            $lines | Should -Match 'broken off'
            $lines | Should -Match "'$folder/frozen/\.btrfs-clone-atomic\.[0-9a-f]+'?: it could not be removed again and stays"
        }
    }

    It 'lets nothing stay where the first of several errors in a tree ends the command' -Skip:(-not $root) {
        0..3 | ForEach-Object { Set-Content "tree/$_" $_ }
        chmod 000 tree/1 tree/2 tree/3
        chmod 777 $folder
        $failure = Invoke-AsUser "try { Copy-BtrfsItem '$folder/tree' '$folder/new' -Atomic -ErrorAction Stop } catch { `$_.FullyQualifiedErrorId }"
        $failure | Should -BeLike 'PermissionDenied,*'
        Get-ChildItem $folder -Name -Force | Should -Be 'into', 'tree', 'one', 'two'
    }

    It 'says with -WhatIf what it would do, and does nothing' {
        Copy-BtrfsItem tree new -Atomic -WhatIf
        Get-EntryName $folder | Should -Be 'into', 'one', 'tree', 'tree/sub', 'tree/sub/leaf', 'two'
    }

    It 'replaces an existing file' {
        Copy-BtrfsItem one two -Atomic
        Get-Content two | Should -Be 'one'
    }
}

Describe 'Copy-BtrfsItem refuses' {
    BeforeEach {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory "$folder/dir/sub"
        Set-Content "$folder/file" 'new'
        Set-Content "$folder/old" 'old'
        Push-Location $folder
        $before = find $folder -printf '%p %m %s %T@\n' | Sort-Object
    }

    AfterEach {
        Pop-Location
    }

    It '<name>: <id>' -ForEach @(
        @{ name = 'a directory into itself'; id = 'DestinationInsideSource'; category = 'InvalidArgument'; arguments = @{ Path = 'dir'; Destination = 'dir' } }
        @{ name = 'a directory below itself'; id = 'DestinationInsideSource'; category = 'InvalidArgument'; arguments = @{ Path = 'dir'; Destination = 'dir/sub/new' } }
        @{ name = 'a file onto itself'; id = 'SameFile'; category = 'InvalidArgument'; arguments = @{ Path = 'file'; Destination = 'file' } }
        @{ name = 'a missing source'; id = 'SourceNotFound'; category = 'ObjectNotFound'; arguments = @{ Path = 'missing'; Destination = 'new' } }
        @{ name = 'a missing parent'; id = 'DestinationNotFound'; category = 'ObjectNotFound'; arguments = @{ Path = 'file'; Destination = 'missing/new' } }
        @{ name = 'a file with -NoClobber'; id = 'DestinationExists'; category = 'ResourceExists'; arguments = @{ Path = 'file'; Destination = 'old'; NoClobber = $true } }
        @{ name = 'a directory over a file'; id = 'DestinationExists'; category = 'ResourceExists'; arguments = @{ Path = 'dir'; Destination = 'old' } }
        @{ name = 'another file system'; id = 'CrossDevice'; category = 'InvalidArgument'; arguments = @{ Path = '/proc/version'; Destination = 'new' } }
        @{ name = 'an item outside of the base'; id = 'SourceOutsideBase'; category = 'InvalidArgument'; arguments = @{ Path = 'file'; Destination = 'new'; RelativeBasePath = 'dir' } }
    ) {
        Copy-BtrfsItem @arguments -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Be "$id,BtrfsClone.PowerShell.CopyBtrfsItemCommand"
        $failures[0].CategoryInfo.Category | Should -Be $category
        $failures[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $failures[0].TargetObject | Should -Not -BeNullOrEmpty
        find $folder -printf '%p %m %s %T@\n' | Sort-Object | Should -Be $before
    }

    It 'a file over a directory of its name: DestinationExists' {
        $null = New-Item -ItemType Directory dir/file
        Copy-BtrfsItem file dir -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'DestinationExists,*'
    }

    It 'to replace a file without write permission, unless forced' {
        chmod 444 old
        Copy-BtrfsItem file old -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'DestinationReadOnly,*'
        $failures[0].CategoryInfo.Category | Should -Be 'PermissionDenied'
        Get-Content old | Should -Be 'old'

        Copy-BtrfsItem file old -Force
        Get-Content old | Should -Be 'new'
    }

    It 'a number of threads below one or above the limit: <_>' -ForEach 0, 65 {
        { Copy-BtrfsItem file new -ThrottleLimit $_ } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
    }
}

Describe 'Copy-BtrfsItem -Reflink Auto' {
    BeforeAll {
        $folder = New-ScratchFolder
        $other = Join-Path '/dev/shm' "btrfs-clone-pester-$PID"
        $null = New-Item -ItemType Directory $other
        Invoke-Tool sh -c 'head -c 100000 /dev/urandom > "$0/file"' $other
    }

    AfterAll {
        Remove-Item -LiteralPath $other -Recurse
    }

    It 'copies what it cannot share, and says how many bytes' {
        $result = Copy-BtrfsItem "$other/file" "$folder/file" -Reflink Auto -PassThru -WarningVariable warnings -WarningAction SilentlyContinue
        Invoke-Tool cmp "$other/file" "$folder/file"
        $result.CopiedLength | Should -Be 100000
        $warnings | Should -HaveCount 1
        $warnings[0].Message | Should -Match '100000 bytes'
    }

    It 'shares what it can, and warns of nothing' {
        Invoke-Tool sh -c 'head -c 65536 /dev/urandom > "$0/shared"' $folder
        $result = Copy-BtrfsItem "$folder/shared" "$folder/clone" -Reflink Auto -PassThru -WarningVariable warnings
        Get-PhysicalRange "$folder/clone" | Should -Be (Get-PhysicalRange "$folder/shared")
        $result.CopiedLength | Should -Be 0
        $result.LostMetadata | Should -Be 0
        $warnings | Should -BeNullOrEmpty
    }

    It 'copies the data where its metadata has no place, counts what is lost, and names it in one warning for each kind' -Skip:((id -u) -ne 0) {
        $ramfs = New-Item -ItemType Directory "$folder/ramfs"
        $source = New-Item -ItemType Directory "$folder/attributes"
        Invoke-Tool mount -t ramfs none $ramfs
        try {
            foreach ($i in 1..3) {
                Set-Content "$source/$i" data
                Invoke-Tool setfattr -n user.comment -v "$i" "$source/$i"
            }
            Invoke-Tool setfacl -m u:1234:rw "$source/1"
            $results = Get-ChildItem $source -File | Copy-BtrfsItem -Destination $ramfs -Reflink Auto -PassThru `
                -ErrorAction Stop -WarningVariable warnings -WarningAction SilentlyContinue
            Get-Content "$ramfs/1", "$ramfs/2", "$ramfs/3" | Should -Be 'data', 'data', 'data'
            $results.LostMetadata | Should -Be 2, 1, 1
            $warnings.Message | Should -HaveCount 3
            $warnings[1].Message | Should -BeLike '3 extended attributes could not be kept (user.comment): *'
            $warnings[2].Message | Should -BeLike '1 ACL could not be kept (system.posix_acl_access): *'
        } finally {
            Invoke-Tool umount $ramfs
        }
    }
}

Describe 'Copy-BtrfsItem and the ends of paths' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        Invoke-Tool sh -c 'mkdir -p tree/sub dst; echo a > tree/a; echo f > file; ln -s tree link'
    }

    AfterEach {
        Pop-Location
    }

    It 'puts the contents of <source> into the destination' -ForEach @(
        @{ source = 'tree/.'; parameters = @{} }, @{ source = 'link/.'; parameters = @{} }
        @{ source = 'tree'; parameters = @{ NoTargetDirectory = $true } }, @{ source = 'tree'; parameters = @{ T = $true } }
    ) {
        foreach ($name in 'Path', 'LiteralPath') {
            $arguments = $parameters + @{ $name = $source }
            $result = Copy-BtrfsItem @arguments -Destination dst -PassThru -ErrorAction Stop
            $result.Path | Should -Be "$folder/dst"
            (Get-ChildItem dst).Name | Should -Be (Get-ChildItem tree).Name
        }
    }

    It 'puts the contents of the location into the destination' {
        Set-Location tree
        Copy-BtrfsItem . ../dst -ErrorAction Stop
        (Get-ChildItem ../dst).Name | Should -Be (Get-ChildItem).Name
    }

    It 'names a link that is followed as the link' {
        Copy-BtrfsItem link/ dst -ErrorAction Stop
        (Get-Item dst/link).LinkType | Should -BeNullOrEmpty
        (Get-ChildItem dst/link).Name | Should -Be (Get-ChildItem tree).Name
    }

    It 'takes no file for a directory' {
        Copy-BtrfsItem file/ new -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId | Should -Be 'NotADirectory,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        'new' | Should -Not -Exist
    }

    It 'takes one item with -NoTargetDirectory, and no base' {
        { Copy-BtrfsItem tree, file dst -NoTargetDirectory } | Should -Throw -ErrorId 'OneItemOnly,*'
        { Get-Item tree | Copy-BtrfsItem -Destination dst -NoTargetDirectory } | Should -Throw -ErrorId 'OneItemOnly,*'
        { Copy-BtrfsItem tree dst -NoTargetDirectory -RelativeBasePath . } | Should -Throw -ErrorId 'ParametersNotTogether,*'
    }

    It 'replaces no FIFO without -Force' {
        mkfifo fifo
        Copy-BtrfsItem file fifo -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId | Should -Be 'DestinationExists,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failures[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Force*'
        stat --format=%F fifo | Should -Be 'fifo'
        Copy-BtrfsItem file fifo -Force -ErrorAction Stop
        Get-Content fifo | Should -Be 'f'
    }
}

Describe 'Copy-BtrfsItem -PassThru' {
    BeforeAll {
        $folder = New-ScratchFolder
        $src = New-Tree "$folder/src"
        $result = Copy-BtrfsItem $src "$folder/dst" -PassThru
        $count = @{}
        foreach ($type in 'f', 'd', 'l') {
            $count[$type] = @(find $src -type $type -printf 'x\n').Count
        }
    }

    It 'writes one object for each item' {
        $results = Get-ChildItem $src -Force | Copy-BtrfsItem -Destination "$folder/each" -PassThru
        $results | Should -HaveCount @(Get-ChildItem $src -Force).Count
        $results.Source | Sort-Object | Should -Be ((Get-ChildItem $src -Force).FullName | Sort-Object)
        $results.Path | Should -Contain "$folder/each/dir [x]"
    }

    It 'counts what it cloned' {
        $result | Should -BeOfType BtrfsClone.Cloning.CloneResult
        $result.Source | Should -Be $src
        $result.Path | Should -Be "$folder/dst"
        $result.Kind | Should -Be 'Directory'
        $result.Files + $result.HardLinks | Should -Be $count.f
        $result.HardLinks | Should -Be 2
        $result.Directories | Should -Be $count.d
        $result.SymbolicLinks | Should -Be $count.l
        $result.Length | Should -Be ((find $src -type f -printf '%i %s\n' | Sort-Object -Unique | ForEach-Object { [long] ($_ -split ' ')[1] } | Measure-Object -Sum).Sum)
        $result.CopiedLength | Should -Be 0
        $result.Failed | Should -Be 0
        $result.Elapsed | Should -BeGreaterThan ([timespan]::Zero)
    }

    It 'writes objects that pipe into Get-Item, also after serialization' {
        ($result | Get-Item).FullName | Should -Be "$folder/dst"
        $result | Export-Clixml "$folder/result.xml"
        $restored = Import-Clixml "$folder/result.xml"
        ($restored | Get-Item).FullName | Should -Be "$folder/dst"
        $restored.Length | Should -BeOfType long
        $restored.Kind.ToString() | Should -Be 'Directory'
        ($result | ConvertTo-Json | ConvertFrom-Json).Length | Should -Be $result.Length
    }

    It 'writes objects that pipe into Copy-BtrfsItem, whatever the name' {
        $clone = Copy-BtrfsItem -LiteralPath "$src/a[1].txt" -Destination "$folder/b[2].txt" -PassThru
        $clone | Copy-BtrfsItem -Destination "$folder/again"
        $clone | Export-Clixml "$folder/clone.xml"
        Import-Clixml "$folder/clone.xml" | Copy-BtrfsItem -Destination "$folder/restored"
        "$folder/again/b[2].txt", "$folder/restored/b[2].txt" | ForEach-Object { Test-Path -LiteralPath $_ | Should -BeTrue }
    }

    It 'writes objects that print as a table, below their directory' {
        $lines = ($result | Out-String -Width 1000).Trim() -split "`n"
        $lines | Should -HaveCount 5
        $lines[0] | Should -Be "Directory: $folder"
        $lines[2] | Should -Match '^Kind +Files +Length +Copied +Failed +Name'
        $lines[4] | Should -Match '^Directory +\d+ .* dst\s*$'
    }
}

Describe 'Copy-BtrfsItem asks and tells' {
    BeforeEach {
        $folder = New-ScratchFolder
        Set-Content "$folder/one" 'one'
        Set-Content "$folder/two" 'two'
        $shell = [powershell]::Create()
        $null = $shell.AddCommand('Import-Module').AddParameter('Name', (Join-Path $PSScriptRoot '../../BtrfsClone.psd1')).Invoke()
        $shell.Commands.Clear()
    }

    AfterEach {
        $shell.Dispose()
    }

    It 'what it would do with -WhatIf, and does nothing' {
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Get-ChildItem '$folder' | Copy-BtrfsItem -Destination '$folder/new' -WhatIf"
        foreach ($name in 'one', 'two') {
            $said | Should -Contain "What if: Performing the operation `"Clone`" on target `"Item: $folder/$name Destination: $folder/new/$name`"."
        }

        Test-Path "$folder/new" | Should -BeFalse
    }

    It 'with -WhatIf nothing of what a tree holds, apart from the tree' {
        $null = New-Item -ItemType Directory "$folder/tree/sub"
        $said = pwsh -NoProfile -NonInteractive -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Get-ChildItem '$folder' -Recurse | Copy-BtrfsItem -Destination '$folder/new' -WhatIf"
        $said | Where-Object { $_ -like '*tree*' } | Should -HaveCount 1
    }

    It 'an error with -WhatIf where there is no such item' {
        Copy-BtrfsItem "$folder/missing" "$folder/new" -WhatIf -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
    }

    It 'before each item with -Confirm' {
        { Copy-BtrfsItem "$folder/one" "$folder/new" -Confirm:$false } | Should -Not -Throw
        Test-Path "$folder/new" | Should -BeTrue
        $null = $shell.AddCommand('Copy-BtrfsItem').AddArgument("$folder/one").AddArgument("$folder/asked").AddParameter('Confirm')
        { $shell.Invoke() } | Should -Throw -Because 'there is nobody to answer'
        Test-Path "$folder/asked" | Should -BeFalse
    }

    It 'a verbose line for each item' {
        $said = Get-ChildItem $folder -File | Copy-BtrfsItem -Destination "$folder/new" -Verbose 4>&1
        $said | Should -HaveCount 2
        $said[0].Message | Should -BeLike "*$folder/one*$folder/new/one*"
    }

    It 'of each bad item, and goes on with the next' {
        $result = Copy-BtrfsItem "$folder/one", "$folder/missing", "$folder/two" "$folder/new" -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $? | Should -BeFalse
        $result.Path | Should -Be "$folder/new/one", "$folder/new/two"
        $failures | Should -HaveCount 1
        $failures[0].TargetObject | Should -Be "$folder/missing"
        $failures[0].Exception | Should -BeOfType Management.Automation.ItemNotFoundException
        $failures[0].Exception.Message | Should -Match 'missing'
    }

    It 'of the first bad item alone with -ErrorAction Stop' {
        { Copy-BtrfsItem "$folder/missing", "$folder/two" "$folder/new" -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
        Test-Path "$folder/new" | Should -BeFalse
    }

    It 'of one unreadable file among many, and clones the rest' -Skip:(-not $root) {
        chmod 777 $folder
        setpriv --reuid 65534 --regid 65534 --clear-groups mkdir "$folder/tree"
        1..50 | ForEach-Object { Set-Content "$folder/tree/$_" $_ }
        chmod 000 "$folder/tree/25"
        $said = Invoke-AsUser "Copy-BtrfsItem '$folder/tree' '$folder/new' -ErrorVariable f -ErrorAction SilentlyContinue; `$f.Count; `$f[0].FullyQualifiedErrorId; `$f[0].TargetObject"
        $said | Should -Be '1', 'PermissionDenied,BtrfsClone.PowerShell.CopyBtrfsItemCommand', "$folder/tree/25"
        Get-ChildItem "$folder/new" | Should -HaveCount 49
    }
}

Describe 'Copy-BtrfsItem of much' {
    BeforeAll {
        $folder = New-ScratchFolder
        $src = "$folder/src"
        foreach ($directory in 1..60) {
            $null = [IO.Directory]::CreateDirectory("$src/$directory")
            foreach ($file in 1..1000) {
                [IO.File]::WriteAllText("$src/$directory/$file", 'content')
            }
        }

        sync --file-system $folder
        $manifest = (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
    }

    BeforeEach {
        $dst = Join-Path (New-ScratchFolder) 'dst'
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$manifest'; Copy-BtrfsItem '$src' '$dst' -ThrottleLimit 1")
    }

    AfterEach {
        $shell.Dispose()
    }

    It 'shows progress a few times a second, and ends it' {
        $clock = [Diagnostics.Stopwatch]::StartNew()
        $null = $shell.Invoke()
        $records = $shell.Streams.Progress
        $records.Count | Should -BeGreaterThan 1
        $records.Count | Should -BeLessThan (5 * $clock.Elapsed.TotalSeconds + 2)
        $records[0].StatusDescription | Should -Match '\d+ files, .*MB, .*files/s'
        $records[-1].RecordType | Should -Be 'Completed'
    }

    It 'stops within a second and leaves whole files only' {
        $running = $shell.BeginInvoke()
        while (-not (Test-Path "$dst/*/5")) {
            $running.IsCompleted | Should -BeFalse
            Start-Sleep -Milliseconds 10
        }

        $clock = [Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 1
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $files = @(Invoke-Tool find $dst -type f -printf '%P %s\n')
        $files.Count | Should -BeLessThan 60000
        $files | Where-Object { $_ -notmatch '^\d+/\d+ 7$' } | Should -BeNullOrEmpty
    }

    It 'takes thousands of single files from the pipeline' {
        $result = Get-ChildItem "$src/*" -File -Recurse | Copy-BtrfsItem -Destination $dst -RelativeBasePath $src -PassThru
        $result | Should -HaveCount 60000
        diff -r $src $dst | Should -BeNullOrEmpty
    }
}
