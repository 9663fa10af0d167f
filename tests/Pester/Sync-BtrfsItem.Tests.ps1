BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Sync-BtrfsItem' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory golden/below
        Invoke-Tool dd if=/dev/urandom of=golden/image bs=4096 count=100 status=none
        Invoke-Tool dd if=/dev/urandom of=golden/below/b bs=4096 count=2 status=none
        Set-Content golden/notes 'some words'
        Copy-BtrfsItem golden work
    }

    AfterEach {
        Pop-Location
    }

    It 'sets a used copy back, and shares only what differs' {
        Invoke-Tool dd if=/dev/urandom of=work/image bs=4096 count=1 seek=50 conv=notrunc status=none
        Set-Content work/extra 'mine'
        Remove-Item work/below/b
        $inode = Invoke-Tool stat -c '%i %z' work/notes
        $result = Sync-BtrfsItem golden work -Delete
        $result | Should -BeOfType BtrfsClone.Syncing.SyncResult
        $result.Source, $result.Path | Should -Be "$folder/golden", "$folder/work"
        $result.Created, $result.Patched, $result.Deleted, $result.Failed | Should -Be 1, 1, 1, 0
        $result.SharedLength | Should -Be (4096 + 8192)
        Invoke-Tool diff -r golden work
        Test-BtrfsClone golden work | Should -BeTrue
        Invoke-Tool stat -c '%i %z' work/notes | Should -Be $inode
    }

    It 'removes nothing without -Delete' {
        Set-Content work/extra 'mine'
        (Sync-BtrfsItem golden work).Deleted | Should -Be 0
        Get-Content work/extra | Should -Be 'mine'
    }

    It 'tells what it would do with -WhatIf, and does nothing' {
        Set-Content work/extra 'mine'
        Set-Content golden/new 'new'
        $told = pwsh -NoProfile -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Set-Location '$folder'; Sync-BtrfsItem golden work -Delete -WhatIf"
        $told | Where-Object { $_ -match '"Create".*work/new"' } | Should -HaveCount 1
        $told | Where-Object { $_ -match '"Delete".*work/extra"' } | Should -HaveCount 1
        Get-Content work/extra | Should -Be 'mine'
        'work/new' | Should -Not -Exist
    }

    It 'keeps an inode with -InPlace' {
        $inode = Invoke-Tool stat -c %i work/image
        Invoke-Tool dd if=/dev/urandom of=golden/image bs=4096 count=1 seek=7 conv=notrunc status=none
        (Sync-BtrfsItem golden/image work/image -InPlace).SharedLength | Should -Be 4096
        Invoke-Tool stat -c %i work/image | Should -Be $inode
        Invoke-Tool cmp golden/image work/image
    }

    It 'neither clones nor removes what is excluded' {
        Set-Content golden/a.log 'source'
        Set-Content work/b.log 'destination'
        $null = Sync-BtrfsItem golden work -Delete -Exclude *.log
        'work/a.log' | Should -Not -Exist
        'work/b.log' | Should -Exist
    }

    It 'writes each change with -Detailed' {
        Remove-Item work/notes
        $changes = Sync-BtrfsItem golden work -Detailed | Where-Object { $_ -is [BtrfsClone.Syncing.SyncChange] }
        ($changes | Where-Object Path -EQ "$folder/work/notes").Action | Should -Be 'Create'
    }

    It 'looks only at what has changed since the last time, as root' {
        if (-not (Test-Root)) {
            Set-ItResult -Skipped -Because 'it needs root'
        }

        (Sync-BtrfsItem golden work).Unchanged | Should -Be 5
        Add-Content golden/notes 'more words'
        $result = Sync-BtrfsItem golden work
        $result.Unchanged | Should -BeNullOrEmpty
        $result.Replaced | Should -Be 1
        Get-Content work/notes | Should -Be 'some words', 'more words'
    }

    It 'takes size and time for enough with -Check Time' {
        Set-Content work/notes 'SOME WORDS'
        Invoke-Tool touch -r golden/notes work/notes
        (Sync-BtrfsItem golden work -Check Time).Replaced | Should -Be 0
        Get-Content work/notes | Should -BeExactly 'SOME WORDS'
        (Sync-BtrfsItem golden work).Replaced | Should -Be 1
        Get-Content work/notes | Should -BeExactly 'some words'
    }

    It 'takes an item from the pipeline, and writes what binds to other cmdlets' {
        Set-Content work/extra 'mine'
        (Get-Item golden | Sync-BtrfsItem -Destination work -Delete -PassThru).Deleted | Should -Be 1
        'work/extra' | Should -Not -Exist
        $result = Sync-BtrfsItem golden work
        ($result | Get-Item).FullName | Should -Be "$folder/work"
        ($result | ConvertTo-Json | ConvertFrom-Json).SharedLength | Should -Be 0
    }

    It 'makes a destination that is missing' {
        (Sync-BtrfsItem golden new).Created | Should -Be 5
        Invoke-Tool diff -r golden new
        Test-BtrfsClone golden new | Should -BeTrue
    }

    It 'reads the source as of one moment with -PointInTime' {
        if (-not (Test-Root)) {
            Set-ItResult -Skipped -Because 'removing a snapshot needs root here'
        }

        Set-Content golden/new 'new'
        (Sync-BtrfsItem golden work -PointInTime).Created | Should -Be 1
        Get-ChildItem -Force -Filter .btrfs-clone* | Should -BeNullOrEmpty
    }

    It 'reads what no snapshot may be taken of with -PerFile, and says so' {
        if (-not (Test-Root)) {
            Set-ItResult -Skipped -Because 'it becomes another user'
        }

        $mine = New-ScratchFolder
        $null = Invoke-Tool btrfs subvolume create "$mine/src"
        $null = New-Item -ItemType Directory "$mine/src/theirs"
        chown 65534:65534 $mine
        "$(Invoke-AsUser "Sync-BtrfsItem '$mine/src' '$mine/dst' -PointInTime -PerFile 3>&1" 2>&1)" |
            Should -Match "'$mine/src' is not of one moment"
        Set-Content "$mine/src/file" 'new'
        $said = Invoke-AsUser "Sync-BtrfsItem '$mine/src' '$mine/dst' -PointInTime -PerFile 3>&1" 2>&1
        "$said" | Should -Match "'$mine/src' is not of one moment"
        Get-Content "$mine/dst/file" | Should -Be 'new'
        { Sync-BtrfsItem "$mine/src" "$mine/dst" -PerFile } | Should -Throw -ErrorId 'ParameterNeeded,*'
    }

    It 'refuses a destination inside its source, and a source inside its destination' {
        $null = Sync-BtrfsItem golden golden/below/copy -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'DestinationInsideSource,*'
        $null = Sync-BtrfsItem golden/below golden -Delete -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'DestinationInsideSource,*'
        'golden/image' | Should -Exist
    }
}
