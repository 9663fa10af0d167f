<#
    What a clone is, from beginning to end. Each step goes on where the one before has ended; read it from top to bottom.

    btrfs keeps a file as a list of references: this piece of the file is that piece of an extent, a run of bytes on
    disk. To clone a file is to copy the list. To write is to put the new bytes elsewhere and change the list. So nothing
    that is written through one file is ever seen through another, and what nobody writes stays there once.
#>
BeforeDiscovery {
    # To see extents as such, and not only where bytes lie, takes root.
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # What is written comes to disk when the kernel likes. Here it is to be there at once.
    function Save-Everything {
        Invoke-Tool btrfs filesystem sync .
    }

    # 4 KiB of new bytes in the middle: block 100 of 256.
    function Edit-Middle([string] $Path) {
        Invoke-Tool dd if=/dev/urandom of=$Path bs=4k count=1 seek=100 conv=notrunc status=none
    }

    Push-Location (New-ScratchFolder)
}

AfterAll {
    Pop-Location
}

Describe 'A file and its clone' -Skip:(-not $root) {
    It 'is written: one piece, one extent, and nobody else refers to it' {
        New-OneExtentFile disk.img 1MB
        Save-Everything

        $piece = Get-BtrfsExtent disk.img
        $piece | Should -HaveCount 1
        $piece.Offset, $piece.Length | Should -Be 0, 1MB           # this part of the file ...
        $piece.ExtentOffset, $piece.DiskLength | Should -Be 0, 1MB # ... is all of an extent
        $piece.IsShared | Should -BeFalse
        $piece.ReferenceCount | Should -Be 1
    }

    It 'is cloned: a second file of the same bytes, and not a byte more on disk' {
        $before = Get-DataUsed .
        Copy-BtrfsItem disk.img clone.img

        Get-DataUsed . | Should -Be $before
        Invoke-Tool cmp disk.img clone.img
        Test-BtrfsClone disk.img clone.img | Should -BeTrue
    }

    It 'is shared: both files refer to one extent' {
        $piece, $cloned = Get-BtrfsExtent disk.img, clone.img
        $cloned.DiskOffset | Should -Be $piece.DiskOffset
        $piece.IsShared, $cloned.IsShared | Should -Be $true, $true
        $piece.ReferenceCount | Should -Be 2

        # The map draws what is shared with one sign from end to end; below it stands which.
        $map = (Get-BtrfsExtent clone.img | Show-BtrfsExtentMap -Width 40) -replace '\e\[[\d;]*m'
        $map[1] | Should -Match '^\[(.)\1{37}\]$'
        $map[2] | Should -Match "^$([regex]::Escape($map[1][1])) shared 1 MiB \(100 %\)"
    }

    It 'is overwritten in the middle: the clone parts into three pieces of two extents' {
        Edit-Middle clone.img
        Save-Everything

        $old = Get-BtrfsExtent disk.img
        $left, $middle, $right = Get-BtrfsExtent clone.img

        # The old extent is neither read nor changed. The clone refers to it twice now: to what lies before the new
        # block, and, from ExtentOffset on, to what lies behind it.
        $left.Offset, $left.Length, $left.ExtentOffset | Should -Be 0, 409600, 0
        $right.Offset, $right.Length, $right.ExtentOffset | Should -Be 413696, 634880, 413696
        $left.DiskOffset, $right.DiskOffset | Should -Be $old.DiskOffset, $old.DiskOffset
        $old.ReferenceCount | Should -Be 3

        # The new block is an extent of its own.
        $middle.Offset, $middle.Length, $middle.DiskLength | Should -Be 409600, 4096, 4096
        $left.IsShared, $middle.IsShared, $right.IsShared | Should -Be $true, $false, $true
    }

    It 'leaves the first file as it was' {
        $piece = Get-BtrfsExtent disk.img
        $piece | Should -HaveCount 1
        $piece.Length | Should -Be 1MB
        { Invoke-Tool cmp disk.img clone.img } | Should -Throw 'cmp * ended with 1*'
    }

    It 'is measured: what the two take together is one file and one block' {
        $null = New-Item -ItemType Directory both
        Copy-BtrfsItem disk.img, clone.img both
        Save-Everything

        $both = Measure-BtrfsItem both
        $both.Length | Should -Be 2MB           # what the files hold
        $both.DiskLength | Should -Be (1MB + 4096) # what it takes
        $both.ExtentCount | Should -Be 2
        Remove-Item both -Recurse
        Save-Everything

        # What would be freed with the clone alone: the one block that it does not share.
        (Measure-BtrfsItem clone.img).ExclusiveLength | Should -Be 4096
    }

    It 'is compared: all but that block is stored in one place' {
        $result = Compare-BtrfsItem disk.img clone.img
        $result.SharedLength | Should -Be (1MB - 4096)
        $result.ExclusiveLength | Should -Be 4096
        $result.IsClone | Should -BeFalse
    }

    It 'gets its old bytes back, and is the same file, but no clone' {
        Invoke-Tool dd if=disk.img of=clone.img bs=4k count=1 skip=100 seek=100 conv=notrunc status=none
        Save-Everything

        # The same bytes, once more: btrfs does not look for what it has already.
        Invoke-Tool cmp disk.img clone.img
        Test-BtrfsClone disk.img clone.img | Should -BeFalse
    }

    It 'is merged: the kernel compares, and lets the clone refer to the old extent again' {
        $before = Get-DataUsed .
        $merged = Merge-BtrfsItem disk.img clone.img
        $merged.DedupedLength, $merged.SameLength, $merged.DifferentLength | Should -Be 4096, (1MB - 4096), 0

        Get-DataUsed . | Should -Be ($before - 4096)
        Invoke-Tool cmp disk.img clone.img
    }

    It 'is shared again, byte for byte' {
        Save-Everything
        Test-BtrfsClone disk.img clone.img | Should -BeTrue
        $pieces = Get-BtrfsExtent clone.img
        $pieces.DiskOffset | Sort-Object -Unique | Should -Be (Get-BtrfsExtent disk.img).DiskOffset
        $pieces.IsShared | Should -Not -Contain $false
        (Measure-BtrfsItem clone.img).ExclusiveLength | Should -Be 0
    }

    It 'outlives the first file, which takes only its own references along' {
        $sum = (Get-FileHash clone.img).Hash
        Remove-Item disk.img
        Save-Everything

        (Get-FileHash clone.img).Hash | Should -Be $sum
        Get-BtrfsExtent clone.img | ForEach-Object IsShared | Should -Not -Contain $true
        (Measure-BtrfsItem clone.img).ExclusiveLength | Should -Be 1MB
    }
}
