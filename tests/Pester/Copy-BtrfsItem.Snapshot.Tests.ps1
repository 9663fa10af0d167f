BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    function New-Subvolume {
        [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
        param([string] $Path)

        $null = Invoke-Tool btrfs subvolume create $Path
        $Path
    }

    # The snapshots that a clone of one moment is made from.
    function Get-TemporarySnapshot {
        param([string] $Folder)

        Invoke-Tool find $Folder -maxdepth 2 -inum 256 -path '*/.btrfs-clone-moment.*'
    }
}

Describe 'Copy-BtrfsItem -PointInTime' -Skip:(-not $root) {
    BeforeEach {
        $folder = New-ScratchFolder
        $src = New-Subvolume "$folder/src"
        'one', 'two', 'three' | ForEach-Object { Set-Content "$src/$_" 'before' }
    }

    AfterEach {
        Get-TemporarySnapshot $folder | Should -BeNullOrEmpty
        Get-ChildItem $folder -Force -Filter '.btrfs-clone*' | Should -BeNullOrEmpty
    }

    It 'clones a tree like a clone without it' {
        $tree = New-Tree "$src/tree"
        Copy-BtrfsItem $tree "$folder/dst" -PointInTime
        Compare-Tree $tree "$folder/dst" | Should -BeNullOrEmpty
    }

    It 'takes all items of a subvolume from the moment of the first' {
        $seen = Get-ChildItem $src | ForEach-Object {
            $_
            Get-ChildItem $src | Set-Content -Value 'after'
        } | Copy-BtrfsItem -Destination "$folder/dst" -PointInTime -PassThru
        $seen.Source | Should -Be "$src/one", "$src/three", "$src/two"
        Get-Content "$folder/dst/*" | Should -Be 'before', 'before', 'before'
        Get-Content "$src/*" | Should -Be 'after', 'after', 'after'
    }

    It 'goes on after an error, which names the path that was given' {
        Copy-BtrfsItem "$src/missing", "$src/one" "$folder/dst" -PointInTime -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -Be 'SourceNotFound,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failed.TargetObject | Should -Be "$src/missing"
        Get-Content "$folder/dst/one" | Should -Be 'before'
    }

    It 'removes its snapshot when the pipeline is stopped' {
        Get-ChildItem $src | Copy-BtrfsItem -Destination "$folder/dst" -PointInTime -PassThru | Select-Object -First 1 |
            ForEach-Object { $_.Files } | Should -Be 1
    }

    It 'removes its snapshot when a script is stopped' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript({
                param($module, $src, $dst)
                Import-Module $module
                & { Get-Item "$src/one"; Start-Sleep 60 } | Copy-BtrfsItem -Destination $dst -PointInTime
            }).AddParameters(@((Get-Module BtrfsClone).Path, $src, "$folder/dst"))
        $running = $shell.BeginInvoke()
        for ($wait = 0; $wait -lt 200 -and -not (Test-Path "$folder/dst/one"); $wait++) {
            Start-Sleep -Milliseconds 50
        }

        Get-TemporarySnapshot "$folder/dst" | Should -HaveCount 1
        $shell.Stop()
        $running.IsCompleted | Should -BeTrue
        $shell.Dispose()
        Get-TemporarySnapshot "$folder/dst" | Should -BeNullOrEmpty
    }

    It 'takes no snapshot with -WhatIf' {
        Copy-BtrfsItem $src "$folder/dst" -PointInTime -WhatIf
        "$folder/dst" | Should -Not -Exist
    }

    It 'works with -Atomic' {
        Copy-BtrfsItem $src "$folder/dst" -PointInTime -Atomic
        Get-Content "$folder/dst/*" | Should -Be 'before', 'before', 'before'
    }

    It 'works for an ordinary user whose the subvolume and all directories in it are' {
        $null = New-Item -ItemType Directory "$src/dir"
        chown -R 65534:65534 $folder
        Invoke-AsUser "Copy-BtrfsItem '$src' '$folder/dst' -PointInTime" 2>&1 | Should -BeNullOrEmpty
        diff -r $src "$folder/dst" | Should -BeNullOrEmpty
    }

    It 'clones each file of its own moment with -PerFile, and says so' {
        $null = New-Item -ItemType Directory "$src/theirs"
        chown 65534:65534 $folder
        $said = Invoke-AsUser "Copy-BtrfsItem '$src' '$folder/dst' -PointInTime -PerFile 3>&1" 2>&1
        "$said" | Should -Match "'$src' is not of one moment"
        diff -r $src "$folder/dst" | Should -BeNullOrEmpty
        { Copy-BtrfsItem $src "$folder/dst2" -PerFile } | Should -Throw -ErrorId 'ParameterNeeded,*'
    }

    It 'tells an ordinary user what it needs' {
        chown -R 65534:65534 $folder
        $null = New-Item -ItemType Directory "$src/theirs"
        $said = Invoke-AsUser "Copy-BtrfsItem '$src' '$folder/dst' -PointInTime; `$Error[0].FullyQualifiedErrorId" 2>&1
        "$said" | Should -Match 'permission denied.*user_subvol_rm_allowed.*PermissionDenied,BtrfsClone'
    }
}

Describe 'Copy-BtrfsItem -Snapshot' -Skip:(-not $root) {
    BeforeEach {
        $folder = New-ScratchFolder
        $src = New-Subvolume "$folder/src"
        Set-Content "$src/file" 'content'
        Push-Location $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'makes a writable snapshot, and counts nothing' {
        $result = Copy-BtrfsItem src dst -Snapshot -PassThru
        $result.Source, $result.Path, $result.Kind, $result.Failed | Should -Be $src, "$folder/dst", 'Directory', 0
        foreach ($count in 'Files', 'Directories', 'SymbolicLinks', 'HardLinks', 'SpecialFiles', 'Length') {
            $result.$count | Should -Be $null -Because "$count is not known"
        }

        Get-Content dst/file | Should -Be 'content'
        "$(Invoke-Tool btrfs subvolume show src)" -match '\bUUID:\s+(\S+)' | Should -BeTrue
        "$(Invoke-Tool btrfs subvolume show dst)" | Should -Match "Parent UUID:\s+$($Matches[1])"
        Set-Content dst/file 'changed'
        Get-Content src/file | Should -Be 'content'
        $result | Get-Item | ForEach-Object Name | Should -Be 'dst'
        $result | ConvertTo-Json | Should -Match '"Files":null|"Files": null'
    }

    It 'puts several into a directory under their own names' {
        $null = New-Subvolume "$folder/other"
        Get-Item src, other | Copy-BtrfsItem -Destination new/dir -Snapshot
        (Get-Item new/dir/*).Name | Should -Be 'other', 'src'
        (stat -c %i new/dir/other new/dir/src) | Should -Be 256, 256
    }

    It 'names nested subvolumes in warnings' {
        $null = New-Subvolume "$src/nested [1]"
        Set-Content -LiteralPath "$src/nested [1]/file" 'x'
        Copy-BtrfsItem src dst -Snapshot -WarningVariable warned -WarningAction SilentlyContinue
        $warned.Message | Should -BeLike "*'$($src.Replace('[', '``['))/nested ``[1``]'*-Recurse*"
        Get-ChildItem -LiteralPath 'dst/nested [1]' | Should -BeNullOrEmpty
    }

    It 'makes snapshots of nested subvolumes with -Recurse, and not with -Recurse:$false' {
        $null = New-Subvolume "$src/nested"
        $null = New-Subvolume "$src/nested/deep"
        Set-Content "$src/nested/deep/file" 'x'
        $result = Copy-BtrfsItem src dst -Snapshot -Recurse -PassThru -WarningVariable warned
        $warned | Should -BeNullOrEmpty
        diff -r src dst | Should -BeNullOrEmpty
        stat -c %i dst dst/nested dst/nested/deep | Should -Be 256, 256, 256
        $result.Snapshots | Should -Be 3
        $result.SnapshotSpread | Should -BeOfType ([timespan])
        Copy-BtrfsItem src dst2 -Snapshot -Recurse:$false -WarningVariable warned -WarningAction SilentlyContinue
        $warned | Should -HaveCount 1
        stat -c %i dst2/nested | Should -Be 2
    }

    It 'makes all of them read-only with -ReadOnly' {
        $null = New-Subvolume "$src/nested"
        Copy-BtrfsItem src dst -Snapshot -ReadOnly -Recurse
        'dst', 'dst/nested' | ForEach-Object { Invoke-Tool btrfs property get $_ ro } | Should -Be 'ro=true', 'ro=true'
        Copy-BtrfsItem src/nested one -Snapshot -ReadOnly
        Invoke-Tool btrfs property get one ro | Should -Be 'ro=true'
        Invoke-Tool btrfs property get src/nested ro | Should -Be 'ro=false'
    }

    It 'makes none with -Recurse where one cannot be taken, and names it' {
        $null = New-Subvolume "$src/nested"
        Invoke-Tool mount -t tmpfs hidden src/nested
        try {
            Copy-BtrfsItem src dst -Snapshot -Recurse -ErrorAction SilentlyContinue -ErrorVariable failed
        }
        finally {
            Invoke-Tool umount src/nested
        }

        $failed.FullyQualifiedErrorId | Should -Be 'MountInBetween,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failed.TargetObject | Should -Be "$src/nested"
        Get-ChildItem -Force -Name | Should -Be 'src'
    }

    It 'says how far apart the snapshots of a command are' {
        $null = New-Subvolume "$folder/other"
        (Copy-BtrfsItem src, other new -Snapshot -Verbose 4>&1)[-1] |
            Should -Match '^2 snapshots, [\d,.]+ ms from the first to the last\.$'
        "$(Copy-BtrfsItem src dst -Snapshot -Verbose 4>&1)" | Should -Not -Match '\bms\b'
    }

    It 'refuses -ReadOnly without -Snapshot' {
        { Copy-BtrfsItem src dst -ReadOnly } | Should -Throw -ErrorId 'ParameterNeeded,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        'dst' | Should -Not -Exist
    }

    It 'refuses what is no subvolume, and goes on' {
        $null = New-Item -ItemType Directory plain
        Copy-BtrfsItem plain, src/file, src new -Snapshot -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed | Should -HaveCount 2
        $failed.FullyQualifiedErrorId | Sort-Object -Unique | Should -Be 'NotSubvolume,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        $failed.CategoryInfo.Category | Sort-Object -Unique | Should -Be 'InvalidType'
        $failed.TargetObject | Should -Be "$folder/plain", "$src/file"
        Get-ChildItem new -Name | Should -Be 'src'
    }

    It 'replaces nothing, with -NoClobber or without' -ForEach @{ options = @{} }, @{ options = @{ NoClobber = $true } } {
        Copy-BtrfsItem src dst -Snapshot
        { Copy-BtrfsItem src -Destination . -Snapshot @options -ErrorAction Stop } |
            Should -Throw -ErrorId 'DestinationExists,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
    }

    It 'has no parameters beside it but those that mean something there' {
        $line = 'Get-Item src | Copy-BtrfsItem -Destination dst -Snapshot -'
        $offered = (TabExpansion2 $line).CompletionMatches.CompletionText
        $common = [Management.Automation.Cmdlet]::CommonParameters + [Management.Automation.Cmdlet]::OptionalCommonParameters
        $offered.TrimStart('-') | Where-Object { $_ -notin $common } | Sort-Object |
            Should -Be 'Container', 'NoClobber', 'NoTargetDirectory', 'PassThru', 'ReadOnly', 'Recurse', 'ThrottleLimit'
    }

    It 'refuses -<name> beside it before anything is done' -ForEach @(
        @{ name = 'Include'; value = '*' }
        @{ name = 'Exclude'; value = '*' }
        @{ name = 'ExcludeFrom'; value = 'file' }
        @{ name = 'RelativeBasePath'; value = '.' }
        @{ name = 'Force'; value = $true }
        @{ name = 'Backup'; value = 'Simple' }
        @{ name = 'Update'; value = $true }
        @{ name = 'Atomic'; value = $true }
        @{ name = 'PointInTime'; value = $true }
        @{ name = 'FollowSymlink'; value = $true }
        @{ name = 'NoCow'; value = $true }
        @{ name = 'InheritProperty'; value = $true }
        @{ name = 'Compression'; value = 'lzo' }
        @{ name = 'Reflink'; value = 'Auto' }
        @{ name = 'OneFileSystem'; value = $true }
    ) {
        $other = @{ $name = $value }
        foreach ($command in { Copy-BtrfsItem src dst -Snapshot @other }, { Get-Item src | Copy-BtrfsItem -Destination dst -Snapshot @other }) {
            $command | Should -Throw -ErrorId 'AmbiguousParameterSet,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
        }

        'dst' | Should -Not -Exist
    }

    It 'takes items as clones do: <how>' -ForEach @(
        @{ how = 'by property name, and the destination too'; command = { [pscustomobject] @{ PSPath = "$PWD/src"; Destination = "$PWD/dst" } | Copy-BtrfsItem -Snapshot } }
        @{ how = 'as text'; command = { "$PWD/src" | Copy-BtrfsItem -Destination { 'dst' } -Snapshot } }
        @{ how = 'from Get-Item'; command = { Get-Item src | Copy-BtrfsItem -Destination { 'dst' } -Snapshot } }
        @{ how = 'without wildcards'; command = { Copy-BtrfsItem -LiteralPath src -Destination dst -Snapshot } }
    ) {
        & $command
        Invoke-Tool btrfs subvolume show dst | Should -Not -BeNullOrEmpty
    }

    It 'says with -WhatIf what it would do' {
        $said = pwsh -NoProfile -Command "Import-Module '$((Get-Module BtrfsClone).Path)'; Copy-BtrfsItem '$src' '$folder/dst' -Snapshot -WhatIf"
        $said | Should -Be "What if: Performing the operation `"Take Snapshot`" on target `"Item: $src Destination: $folder/dst`"."
        'dst' | Should -Not -Exist
    }
}
