BeforeDiscovery {
    Import-Module "$PSScriptRoot/Transcript.psm1"
    $transcripts = foreach ($page in Get-DocumentedPage (Resolve-Path "$PSScriptRoot/../..").Path) {
        # Those that need other hosts are run where hosts are (Remoting.Tests.ps1).
        Get-Transcript $page | Where-Object { -not ($_.Steps.Command -match '-HostName') }
    }
    $canMount = [Environment]::IsPrivilegedProcess -and (Get-Command mkfs.btrfs -ErrorAction Ignore)
}

Describe 'The examples of the documentation, as printed and in their order' -Skip:(-not $canMount) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Transcript.psm1"
        $results = Invoke-Transcript $transcripts (Resolve-Path "$PSScriptRoot/../..").Path
    }

    It '<_.Source>: <_.Title>' -ForEach $transcripts {
        $transcript = $_
        foreach ($step in $results | Where-Object { $_.Source -eq $transcript.Source -and $_.Title -eq $transcript.Title }) {
            $step.Actual | Should -Be $step.Expected -Because "that is what is shown below '$($step.Command)'"
        }
    }
} -ForEach @{ transcripts = $transcripts }
