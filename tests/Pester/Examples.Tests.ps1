BeforeDiscovery {
    Import-Module "$PSScriptRoot/Transcript.psm1"
    $sources = 'en-US/BtrfsClone.PowerShell.dll-Help.xml', 'en-US/about_BtrfsClone.help.txt', 'README.md'
    $transcripts = foreach ($source in $sources) {
        Get-Transcript "$PSScriptRoot/../../$source"
    }
}

Describe 'The examples of <_.Name>' -ForEach ($transcripts | Group-Object Source) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Scratch.psm1"
        Import-Module "$PSScriptRoot/Transcript.psm1"
        $results = Invoke-Transcript $_.Group (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
    }

    It '<_.Title>' -ForEach $_.Group {
        $title = $_.Title
        foreach ($step in $results | Where-Object Title -EQ $title) {
            $step.Actual | Should -Be $step.Expected -Because "that is what is shown below '$($step.Command)'"
        }
    }
}
