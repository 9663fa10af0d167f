BeforeDiscovery {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    $commands = (Get-Command -Module BtrfsClone).Name
}

BeforeAll {
    $manifest = (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
    Import-Module $manifest
}

# What PSScriptAnalyzer would say of functions, of cmdlets that are compiled.
Describe '<_>' -ForEach $commands {
    BeforeAll {
        $command = Get-Command $_
        $attribute = [Reflection.CustomAttributeExtensions]::GetCustomAttribute($command.ImplementingType, [Management.Automation.CmdletAttribute])
        $own = $command.Parameters.Values | Where-Object Name -NotIn ([Management.Automation.Cmdlet]::CommonParameters)
    }

    It 'has an approved verb, and a noun of the module in the singular' {
        $command.Verb | Should -BeIn (Get-Verb).Verb
        $command.Noun | Should -MatchExactly '^Btrfs[A-Z][a-z]+([A-Z][a-z]+)*$'
        $command.Noun | Should -Not -Match '[^s]s$'
    }

    It 'asks before it changes something, and only then' {
        $reads = 'Compare', 'Find', 'Get', 'Measure', 'Show', 'Test', 'Wait'
        $attribute.SupportsShouldProcess | Should -Be ($command.Verb -notin $reads)
    }

    It 'says what it writes' {
        $command.OutputType | Should -Not -BeNullOrEmpty
    }

    It 'has switches that are off unless given, and no other truth values' {
        $own.ParameterType | Where-Object { $_ -in [bool], [Nullable[bool]] } | Should -BeNullOrEmpty
        $new = [Activator]::CreateInstance($command.ImplementingType)
        try {
            foreach ($switch in $own | Where-Object { $_.SwitchParameter -and $_.Name -notin 'WhatIf', 'Confirm' }) {
                $new.($switch.Name).IsPresent | Should -BeFalse -Because $switch.Name
            }
        } finally {
            $new.Dispose()
        }
    }

    It 'has parameters in the singular, with names that begin with a capital' {
        foreach ($parameter in $own) {
            $parameter.Name | Should -MatchExactly '^[A-Z][A-Za-z]+$'
            $parameter.Name | Should -Not -Match '([^s]s)$' -Because 'a list is named as one of its entries is'
        }
    }

    It 'completes what is no path by what it takes' {
        foreach ($parameter in $own | Where-Object { $_.ParameterType -in [int], [long], [Nullable[long]], [Nullable[int]] }) {
            $line = "$($command.Name) x -$($parameter.Name) "
            $offered = (TabExpansion2 $line $line.Length).CompletionMatches
            $offered | Should -Not -BeNullOrEmpty -Because $line
            $offered.ResultType | Should -Not -Contain 'ProviderItem' -Because $line
            $offered.CompletionText | Should -Match '^\d+(KB|MB|GB)?$'
        }
    }

    It 'offers files only where it takes a path' {
        $paths = 'Path', 'LiteralPath', 'ReferencePath', 'FilePath', 'Destination', 'RelativeBasePath', 'ExcludeFrom'
        foreach ($parameter in $own | Where-Object { -not $_.SwitchParameter -and $_.Name -notin $paths }) {
            foreach ($typed in '', 'z') {
                $line = "$($command.Name) x -$($parameter.Name) $typed"
                (TabExpansion2 $line $line.Length).CompletionMatches | Where-Object { $_.ResultType -like 'Provider*' } |
                    Should -BeNullOrEmpty -Because $line
            }
        }
    }

    It 'gives what has to be given no value of its own, and no two parameters one name' {
        $new = [Activator]::CreateInstance($command.ImplementingType)
        try {
            foreach ($parameter in $own | Where-Object { $true -in $_.ParameterSets.Values.IsMandatory -and -not $_.SwitchParameter }) {
                $new.($parameter.Name) | Should -BeNullOrEmpty -Because $parameter.Name
            }
        } finally {
            $new.Dispose()
        }

        $names = @($command.Parameters.Values.Name) + @($command.Parameters.Values.Aliases)
        $names | Group-Object | Where-Object Count -GT 1 | Should -BeNullOrEmpty
    }

    It 'keeps the common parameters in what Tab offers' {
        $line = "$($command.Name) -"
        $offered = (TabExpansion2 $line).CompletionMatches.CompletionText
        foreach ($name in 'Verbose', 'ErrorAction', 'WarningVariable') {
            $offered | Should -Contain "-$name"
        }
    }

    It 'has no parameter for a secret in plain text, nor for another machine' {
        $own.Name | Should -Not -Match '^(Password|Credential|UserName|ComputerName|Token)$'
    }
}

Describe 'The manifest' {
    It 'has what the gallery shows' {
        $data = (Import-PowerShellDataFile $manifest).PrivateData.PSData
        $data.Tags | Should -Contain 'PSEdition_Core'
        $data.LicenseUri, $data.ProjectUri | Should -Match '^https://'
        $data.ReleaseNotes | Should -Not -BeNullOrEmpty
        # As NuGet takes it.
        $data.Prerelease | Should -Match '^([0-9A-Za-z]+)?$'
    }
}

Describe 'The workflows' {
    It 'take actions by the hash of a released commit, since a tag may be moved' {
        $used = Select-String -Path "$PSScriptRoot/../../.github/workflows/*.yml" -Pattern '\buses: (.*)'
        $used | Should -Not -BeNullOrEmpty
        foreach ($line in $used) {
            $line.Matches[0].Groups[1].Value | Should -MatchExactly '^[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$'
        }
    }
}
