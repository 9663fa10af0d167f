BeforeDiscovery {
    $cmdlets = (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport
    $parameters = foreach ($name in $cmdlets) {
        Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
        (Get-Command $name).Parameters.Values | Where-Object Name -NotIn ([Management.Automation.Cmdlet]::CommonParameters) |
            ForEach-Object { @{ cmdlet = $name; parameter = $_.Name } }
    }
}

BeforeAll {
    $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
    Import-Module "$checkout/BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'The help' {
    It 'is what its pages say and what the cmdlets are' {
        $made = "$(New-ScratchFolder)/help.xml"
        & "$checkout/docs/ConvertTo-Maml.ps1" -OutputPath $made
        diff $made "$checkout/en-US/BtrfsClone.PowerShell.dll-Help.xml" | Should -BeNullOrEmpty -Because './build.ps1 Help makes one from the other'
    }

    It 'has no page without a cmdlet' {
        (Get-Item "$checkout/docs/help/*.md").BaseName | Should -BeIn $cmdlets
    } -TestCases @{ cmdlets = $cmdlets }

    It 'of the concepts, <topic>, is found, and fits a terminal of 80 columns' -ForEach @(
        Get-Item "$PSScriptRoot/../../en-US/about_*.help.txt" | ForEach-Object { @{ topic = $_.Name -replace '\.help\.txt$' } }
    ) {
        $text = Get-Help $topic | Out-String
        $text | Should -Match "TOPIC\s+$topic\s"
        $text | Should -Match 'SHORT DESCRIPTION'
        $text -split "`n" -notmatch '^ +(PS|>)> ' | Where-Object Length -GT 80 | Should -BeNullOrEmpty
    }
}

Describe 'The help of <_>' -ForEach $cmdlets {
    BeforeAll {
        $cmdlet = $_
        $command = Get-Command $cmdlet
        $help = Get-Help $cmdlet -Full
    }

    It 'says what it is, what it does, what it needs and where to read on' {
        $help.Synopsis | Should -Match '\.$'
        $help.description.Text | Should -Not -BeNullOrEmpty
        "$($help.alertSet.alert.Text)" | Should -Match '(?s)Privileges: .*Filesystems: '
        $help.relatedLinks.navigationLink.Count | Should -BeGreaterThan 1
    }

    It 'has four examples at least, each with a title, words and output' {
        $help.examples.example.Count | Should -BeGreaterOrEqual 4
        foreach ($example in $help.examples.example) {
            $example.title | Should -Match 'Example \d+: \w+'
            "$($example.remarks.Text)".Trim() | Should -Match '\.$'
            $example.code | Should -Match '^PS> '
            $example.code -split "`n" -notmatch '^(PS|>)> ' | Should -Not -BeNullOrEmpty -Because "'$($example.title)' shows output"
        }

        Get-Help $cmdlet -Examples | Out-String | Should -Match "PS> .*$cmdlet"
    }

    It 'names the types that come in and out' {
        $help.inputTypes.inputType.type.name | Should -Not -BeNullOrEmpty
        $help.returnValues.returnValue.type.name | Sort-Object | Should -Be ($command.OutputType.Name | Sort-Object -Unique)
    }

    It 'has the syntax of every parameter set' {
        $help.syntax.syntaxItem | Should -HaveCount $command.ParameterSets.Count
        foreach ($set in $command.ParameterSets) {
            $expected = $set.Parameters | Where-Object Name -NotIn ([Management.Automation.Cmdlet]::CommonParameters) |
                ForEach-Object { "$($_.Name) $($_.IsMandatory) $($_.Position -lt 0 ? 'named' : $_.Position)" } | Sort-Object
            $shown = $help.syntax.syntaxItem | ForEach-Object {
                ($_.parameter | ForEach-Object { "$($_.name) $($_.required) $($_.position)" } | Sort-Object) -join '; '
            }
            $expected -join '; ' | Should -BeIn $shown
        }
    }

    It 'shows the syntax in its page' {
        $page = [IO.File]::ReadAllText("$checkout/docs/help/$cmdlet.md")
        $shown = [regex]::Match($page, '(?s)## SYNTAX\s+```\w+\s(.*?)```').Groups[1].Value
        $shown -split '\s+' -ne '' | Should -Be ((Get-Command $cmdlet -Syntax) -split '\s+' -ne '') -Because './build.ps1 Help writes it'
    }

    It 'leads to the web' {
        $command.HelpUri | Should -Match '^https://'
        $help.relatedLinks.navigationLink[0].uri | Should -Be $command.HelpUri
        $folder = New-ScratchFolder
        Set-Content "$folder/xdg-open" "#!/bin/sh`necho `"`$1`" > $folder/opening && mv $folder/opening $folder/opened"
        chmod +x "$folder/xdg-open"
        $path = $env:PATH
        $env:PATH = "${folder}:$path"
        try {
            Get-Help $cmdlet -Online
        } finally {
            $env:PATH = $path
        }

        for ($wait = 0; $wait -lt 100 -and -not (Test-Path "$folder/opened"); $wait++) {
            Start-Sleep -Milliseconds 100
        }

        Get-Content "$folder/opened" | Should -Be $command.HelpUri
    }
}

Describe 'The help of <cmdlet> -<parameter>' -ForEach $parameters {
    It 'says what it does and what the cmdlet is' {
        $actual = (Get-Command $cmdlet).Parameters[$parameter]
        $help = Get-Help $cmdlet -Parameter $parameter
        $help.name | Should -BeExactly $parameter
        $help.description.Text | Should -Match '\.$'

        $type = [Nullable]::GetUnderlyingType($actual.ParameterType) ?? $actual.ParameterType
        $help.type.name | Should -Be $type.FullName
        $sets = $actual.ParameterSets.Values
        $help.required | Should -BeIn "$($sets.IsMandatory)".Split()
        $help.position | Should -BeIn ($sets.Position -replace '^-.*', 'named')
        $help.aliases | Should -Be ($actual.Aliases -join ', ')
        $help.pipelineInput -match 'ByValue' | Should -Be ($true -in $sets.ValueFromPipeline)
        $help.pipelineInput -match 'ByPropertyName' | Should -Be ($true -in $sets.ValueFromPipelineByPropertyName)
        $wildcards = $actual.Attributes.Where({ $_ -is [SupportsWildcards] }).Count -gt 0
        $help.globbing | Should -Be "$wildcards"
    }
}
