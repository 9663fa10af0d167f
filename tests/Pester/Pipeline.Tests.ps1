BeforeDiscovery {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    $cmdlets = foreach ($name in (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport) {
        # What is exported is a subvolume or a directory, for which no hash and no line stands.
        if ($name -notlike 'Export-*' -and (Get-Command $name).Parameters.ContainsKey('LiteralPath')) {
            $name
        }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe '<_> and the objects of other commands' -ForEach $cmdlets {
    BeforeAll {
        $cmdlet = $_
        Push-Location (New-ScratchFolder)

        # As a wildcard, the first name matches the second one alone.
        foreach ($name in 'a[1]', 'a1', 'reference') {
            Set-Content -LiteralPath $name ("line of text`n" * 1000)
        }

        Invoke-Tool btrfs filesystem sync .
        $more = @{}
        foreach ($name in @{ Destination = 'new'; ReferencePath = 'reference' }.GetEnumerator()) {
            if ((Get-Command $cmdlet).Parameters.ContainsKey($name.Key)) {
                $more[$name.Key] = $name.Value
            }
        }
    }

    AfterAll {
        Pop-Location
    }

    It 'takes the objects of other commands for the files that they stand for: <from>' -ForEach @(
        @{ from = { Get-FileHash -LiteralPath $args[0] } }
        @{ from = { Select-String -List line -LiteralPath $args[0] } }
        @{ from = { 'Path', $args[0] | ConvertFrom-Csv } }
        @{ from = { [pscustomobject] @{ Path = '/'; PSPath = $args[0] } } }
    ) {
        # Without the file that has this very name there is nothing that it could stand for.
        $objects = & $from 'a[1]'
        $objects | & $cmdlet @more -ErrorVariable failures -ErrorAction SilentlyContinue > $null
        $failures | Should -BeNullOrEmpty
        Rename-Item -LiteralPath 'a[1]' away
        try {
            $objects | & $cmdlet @more -ErrorVariable failures -ErrorAction SilentlyContinue > $null
        } finally {
            Rename-Item away 'a[1]'
        }

        $failures.FullyQualifiedErrorId | Should -BeLike 'SourceNotFound,*'
        $failures.TargetObject | Should -Be "$PWD/a[1]"
    }
}
