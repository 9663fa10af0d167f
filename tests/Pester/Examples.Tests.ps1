BeforeDiscovery {
    Import-Module "$PSScriptRoot/Transcript.psm1"
    $sources = 'en-US/BtrfsClone.PowerShell.dll-Help.xml', 'en-US/about_BtrfsClone.help.txt', 'README.md'
    $transcripts = foreach ($source in $sources) {
        # Those that need other hosts are run where hosts are (Remoting.Tests.ps1).
        Get-Transcript "$PSScriptRoot/../../$source" | Where-Object { -not ($_.Steps.Command -match '-HostName') }
    }
}

Describe 'The examples of <_.Name>' -ForEach ($transcripts | Group-Object Source) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Scratch.psm1"
        Import-Module "$PSScriptRoot/Transcript.psm1"

        # What they show is what root sees; others may not read btrfs's trees, nor remove snapshots.
        $runnable = $_.Group | Where-Object { (Test-Root) -or -not ($_.Steps.Command -match '(Export-BtrfsReport|Find-BtrfsDuplicate|Get-BtrfsExtent|Get-BtrfsExtentOwner|Measure-BtrfsItem|Optimize-BtrfsItem|-PointInTime|-Snapshot)\b') }
        $results = Invoke-Transcript $runnable (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
    }

    It '<_.Title>' -ForEach $_.Group {
        $title = $_.Title
        $steps = @($results | Where-Object Title -EQ $title)
        if (-not $steps) {
            Set-ItResult -Skipped -Because 'it shows what only root sees'
        }

        foreach ($step in $steps) {
            $step.Actual | Should -Be $step.Expected -Because "that is what is shown below '$($step.Command)'"
        }
    }
}

Describe 'The first steps of the README' {
    It 'end with a clone' {
        Import-Module "$PSScriptRoot/Scratch.psm1"
        $folder = New-ScratchFolder
        $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
        $readme = [IO.File]::ReadAllText("$checkout/README.md").Replace('/data', "$folder/data").Replace('/tmp/btrfs.img', "$folder/image")
        $make = [regex]::Match($readme, '(?ms)^```sh\n(truncate .*?)^```').Groups[1].Value
        $clone = [regex]::Match($readme, '(?ms)^```powershell\n(Import-Module .*?)^```').Groups[1].Value
        $namespace = 'unshare', '--mount'
        if (-not (Test-Root)) {
            # What is mounted elsewhere is made here as a folder.
            $make = "mkdir $folder/data && cp -r docs $folder/data/vm"
            $namespace = @('env')
        }

        Set-Content "$folder/sudo" '#!/bin/sh', 'exec "$@"'
        chmod +x "$folder/sudo"
        Push-Location $checkout
        try {
            $said = Invoke-Tool @namespace sh -c 'PATH=$0:$PATH; set -e; eval "$1"; exec pwsh -NoProfile -NonInteractive -Command "$2"' $folder $make $clone
        } finally {
            Pop-Location
        }

        $files = (Get-ChildItem "$checkout/docs" -Recurse -File).Count
        "$said" | Should -Match "Directory +$files +[\d.]+ KiB +0 B +0 "
    }
}
