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
        $runnable = $_.Group | Where-Object { (Test-Root) -or -not ($_.Steps.Command -match '(Get-BtrfsExtent|Measure-BtrfsItem|-PointInTime|-Snapshot)\b') }
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
        $null = New-Item -ItemType File -Force "$folder/vm/disk.img"
        Push-Location "$PSScriptRoot/../.."
        try {
            $steps = [regex]::Match([IO.File]::ReadAllText("$PWD/README.md"), '(?ms)^```powershell\n(Import-Module .*?)^```').Groups[1].Value
            $said = pwsh -NoProfile -NonInteractive -Command $steps.Replace('/data', $folder)
        } finally {
            Pop-Location
        }

        "$said" | Should -Match 'Directory +1 +0 '
        Test-Path "$folder/vm-test/disk.img" | Should -BeTrue
    }
}
