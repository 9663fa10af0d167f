#!/usr/bin/env pwsh
#requires -Version 7.6
<#
.SYNOPSIS
    Shows what the cmdlets do, on a scratch btrfs that is removed afterwards. Needs root, btrfs-progs and the .NET SDK.
.PARAMETER NoBuild
    Takes the module as it is built already.
#>
param([switch] $NoBuild)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

# A command as one would type it, and what it prints.
function Invoke-Step {
    param([string] $About, [string] $Command)

    "`n# $About"
    "PS> $Command"
    & ([scriptblock]::Create($Command)) | Out-Host
}

if (-not [Environment]::IsPrivilegedProcess -or -not (Get-Command mkfs.btrfs -ErrorAction Ignore)) {
    throw 'It makes and mounts a small btrfs: it needs root and btrfs-progs (apt-get install btrfs-progs).'
}

if (-not $NoBuild) {
    dotnet build "$PSScriptRoot/src/BtrfsClone.PowerShell" --verbosity quiet -p:Precompile=false -p:RunAnalyzers=false
}

Import-Module "$PSScriptRoot/BtrfsClone.psd1"
$scratch = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "demo-$PID")).FullName
$mount = (New-Item -ItemType Directory "$scratch/data").FullName
$isMounted = $false
try {
    truncate --size 1G "$scratch/image"
    $null = mkfs.btrfs --quiet "$scratch/image"
    mount -o loop "$scratch/image" $mount
    $isMounted = $true
    Set-Location $mount
    $null = New-Item -ItemType Directory vm
    dd if=/dev/urandom of=vm/disk.img bs=1M count=64 conv=fsync status=none
    Copy-Item "$PSScriptRoot/docs/*.md" vm
    sync -f vm

    Invoke-Step 'Files, cloned by the pipeline: nothing of their data is written.' 'Get-ChildItem vm | Copy-BtrfsItem -Destination vm-test -PassThru'
    dd if=/dev/zero of=vm-test/disk.img bs=64K count=64 seek=512 conv=notrunc,fsync status=none
    Invoke-Step 'Then 4 MiB in the middle of one clone are written anew. What both still share, and what they do not:' 'Get-BtrfsExtent vm/disk.img, vm-test/disk.img | Show-BtrfsExtentMap'
    Invoke-Step 'How much of the one is still shared with the other:' 'Compare-BtrfsItem vm vm-test'
    Invoke-Step 'And what they take on the disk:' 'Measure-BtrfsItem vm, vm-test'
} finally {
    Set-Location $PSScriptRoot
    if ($isMounted) {
        umount $mount
    }
    Remove-Item -LiteralPath $scratch -Recurse
}
