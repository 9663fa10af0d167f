BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Get-BtrfsExtentOwner' -Skip:(-not $root) {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        New-OneExtentFile a 40KB
        Invoke-Tool sync -f $folder
        Invoke-Tool cp --reflink=always a b
        Invoke-Tool ln a c
    }

    AfterEach {
        Pop-Location
    }

    It 'writes each reference under each name' {
        $owners = Get-BtrfsExtentOwner a
        $owners[0] | Should -BeOfType BtrfsClone.Owning.BtrfsExtentOwner
        $owners.Path | Sort-Object | Should -Be "$folder/a", "$folder/b", "$folder/c"
        $owners | ForEach-Object Length | Should -Be 40960, 40960, 40960
        $owners.DiskLength | Should -Be 40960, 40960, 40960
        $owners | Where-Object Path -EQ "$folder/b" | ForEach-Object Inode | Should -Be (stat -c %i b)
        @($owners.DiskOffset | Sort-Object -Unique) | Should -Be (Get-BtrfsExtent a).DiskOffset
        $owners.IsDeleted | Should -Not -Contain $true
    }

    It 'takes extents from the pipeline, also those that were written to a file' {
        Invoke-Tool dd if=/dev/urandom of=a bs=4096 seek=3 count=1 conv=notrunc status=none
        Invoke-Tool sync -f $folder
        $extents = Get-BtrfsExtent a
        $extents | Should -HaveCount 3
        # The first and the last are one extent: it is looked up once.
        $owners = $extents | Get-BtrfsExtentOwner
        $owners | Group-Object DiskLength | ForEach-Object { "$($_.Name): $($_.Count)" } | Sort-Object | Should -Be '4096: 2', '40960: 5'
        ($extents[1] | Get-BtrfsExtentOwner).Path | Sort-Object | Should -Be "$folder/a", "$folder/c"
        $extents | Export-Clixml x
        (Import-Clixml x | Get-BtrfsExtentOwner) | ConvertTo-Json | Should -Be ($owners | ConvertTo-Json)
        Set-Content inline words
        Invoke-Tool sync -f $folder
        Get-BtrfsExtent inline | Get-BtrfsExtentOwner | Should -BeNullOrEmpty
    }

    It 'names the owners in a snapshot' {
        Invoke-Tool btrfs subvolume create sub
        Invoke-Tool cp --reflink=always a sub/d
        Invoke-Tool btrfs subvolume snapshot -r sub snap
        $owner = Get-BtrfsExtentOwner a | Where-Object Path -EQ "$folder/snap/d"
        $owner.Subvolume | Should -BeLike '*/snap'
        $owner.PathInSubvolume | Should -Be d
        $owner.SubvolumeId | Should -Be (Invoke-Tool btrfs inspect-internal rootid snap)
        ($owner | Get-BtrfsExtent).Path | Should -Be "$folder/snap/d"
    }

    It 'passes over what is no file from a pipeline, and refuses it by name' {
        $null = New-Item -ItemType Directory tree
        $said = Get-ChildItem -Directory | Get-BtrfsExtentOwner -Verbose 4>&1
        $said | Should -BeLike "*tree' is not a regular file*"
        { Get-BtrfsExtentOwner tree -ErrorAction Stop } | Should -Throw -ErrorId 'NotRegularFile,*'
        $owners = Get-BtrfsExtentOwner missing, a -ErrorVariable failures -ErrorAction SilentlyContinue
        $owners | Should -HaveCount 3
        $failures.FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
    }

    It 'says what an ordinary user would need' {
        $failure = Invoke-AsUser "Get-BtrfsExtentOwner '$folder/a' -ErrorVariable e 2>`$null; `$e[0].FullyQualifiedErrorId; `$e[0].ErrorDetails.RecommendedAction"
        $failure[0] | Should -BeLike 'PermissionDenied,*'
        $failure[1] | Should -Match 'CAP_SYS_ADMIN: run as root'
    }

    It 'refuses a file that is not on btrfs' {
        $elsewhere = "/dev/shm/btrfs-clone-owner-$PID"
        try {
            Set-Content $elsewhere words
            { Get-BtrfsExtentOwner $elsewhere -ErrorAction Stop } | Should -Throw -ErrorId 'NotBtrfs,*'
        } finally {
            Remove-Item $elsewhere
        }
    }

    It 'prints the subvolume of what is not seen' {
        Invoke-Tool sh -c 'exec 9<b; rm b; sync -f .; exec pwsh -NoProfile -Command "Import-Module ''$1''; \$PSStyle.OutputRendering = ''PlainText''; Get-BtrfsExtentOwner a | Out-String -Width 300"' sh "$PSScriptRoot/../../BtrfsClone.psd1" |
            Out-String | Should -Match '\[/\S*\] \(deleted\)'
    }
}
