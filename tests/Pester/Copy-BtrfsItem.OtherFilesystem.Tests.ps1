BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Copy-BtrfsItem to another filesystem' -Skip:(-not [Environment]::IsPrivilegedProcess -or -not (Get-Command mkfs.btrfs -ErrorAction Ignore)) {
    BeforeAll {
        $folder = New-ScratchFolder
        $other = (New-Item -ItemType Directory "$TestDrive/other").FullName
        truncate -s 512M "$TestDrive/image"
        $null = mkfs.btrfs -q "$TestDrive/image"
        mount -o loop,noatime "$TestDrive/image" $other
        Push-Location $folder
        $null = New-Item -ItemType Directory pool/a -Force
        head -c 300000 /dev/urandom > pool/a/file
        sync -f .
        cp -a --reflink=always pool/a pool/b
        sync -f .
    }

    AfterAll {
        Pop-Location
        umount $other
    }

    It 'copies what is shared once, and shares it there' {
        $result = Copy-BtrfsItem pool $other -Reflink Auto -PassThru -WarningVariable warnings -WarningAction SilentlyContinue
        $result.Length, $result.CopiedLength, $result.SharedLength, $result.UnpackedLength | Should -Be 600000, 300000, 300000, 0
        "$warnings" | Should -Be '300000 bytes could not be shared and were copied. 300000 more share what they hold at the destination as they do at the source.'
        sync -f $other
        diff -r pool "$other/pool"
        $LASTEXITCODE | Should -Be 0
        (Compare-BtrfsItem "$other/pool/a/file" "$other/pool/b/file").SharedLength |
            Should -Be (Compare-BtrfsItem pool/a/file pool/b/file).SharedLength
    }

    It 'is an error with Always' {
        Copy-BtrfsItem pool "$other/none" -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures[0].FullyQualifiedErrorId | Should -BeLike 'CrossDevice,*'
        Test-Path "$other/none" | Should -BeFalse
    }

    It 'says first where there is not enough room' {
        fallocate -l 700M pool/large
        truncate -s 600M pool/large
        Copy-BtrfsItem pool/large "$other/large" -Reflink Auto -WarningVariable warnings -WarningAction SilentlyContinue -ErrorAction SilentlyContinue
        $warnings[0] | Should -BeLike '*/pool/large: * bytes may have to be written, and * are free at *'
        Test-Path "$other/large.*" | Should -BeFalse
        rm pool/large
    }
}
