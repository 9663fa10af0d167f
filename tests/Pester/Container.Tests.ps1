BeforeDiscovery {
    $namespaces = (id -u) -eq '0' -and $(unshare --user --map-root-user --mount true 2> $null; $LASTEXITCODE -eq 0)
}

Describe 'In a container' -Skip:(-not $namespaces) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Scratch.psm1"
        $manifest = (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory "$folder/src/sub"
        Invoke-Tool dd if=/dev/urandom "of=$folder/src/data" bs=64K count=4 conv=fsync status=none
        Set-Content "$folder/src/sub/other" 'of a user whom the container does not know'
        Invoke-Tool chown 1000:1000 "$folder/src/sub/other"
        Invoke-Tool setfattr -n user.kept -v yes "$folder/src/data"

        # Root there is nobody in particular outside, and may not write to what is mounted for it.
        function Invoke-InContainer([string] $Command) {
            $inside = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec pwsh -NoProfile -NonInteractive -Command "$1"'
            $json = Invoke-Tool unshare --user --map-root-user --mount --pid --fork --ipc --uts --net sh -c $inside "$folder/src" @"
Set-StrictMode -Version Latest
`$ErrorActionPreference = 'Stop'
Set-Location '$folder'
Import-Module '$manifest'
& { $Command } | ConvertTo-Json -Compress
"@
            $json | ConvertFrom-Json
        }
    }

    It 'clones from a read-only mount, and gives nothing away to owners whom the container does not know' {
        $result = Invoke-InContainer 'Copy-BtrfsItem src dst -PassThru'
        $result.Files, $result.Failed, $result.CopiedLength | Should -Be 2, 0, 0
        Get-PhysicalRange "$folder/dst/data" | Should -Be (Get-PhysicalRange "$folder/src/data")
        Invoke-Tool stat -c '%u:%g' "$folder/dst/sub/other" | Should -Be '0:0'
        Invoke-Tool getfattr --only-values -n user.kept "$folder/dst/data" | Should -Be 'yes'
    }

    It 'tells what can be known without the rights of the machine''s root' {
        $extent = Invoke-InContainer 'Get-BtrfsExtent src/data'
        $extent.Length, $extent.IsShared, $extent.ReferenceCount | Should -Be 256KB, $true, $null
        (Invoke-InContainer 'Measure-BtrfsItem src').DiskLength | Should -BeNullOrEmpty
        Invoke-InContainer 'Test-BtrfsClone src dst' | Should -BeTrue
    }

    It 'refuses to write to the read-only mount' {
        $failure = Invoke-InContainer 'try { Copy-BtrfsItem src/data src/new } catch { $_.FullyQualifiedErrorId }'
        $failure | Should -BeLike 'ReadOnlyFileSystem,*'
    }
}
