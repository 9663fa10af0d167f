BeforeDiscovery {
    $cmdlets = foreach ($name in (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport) {
        Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
        if ((Get-Command $name).Parameters.ContainsKey('LiteralPath')) {
            $name
        }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe '<_> and the streams' -ForEach $cmdlets {
    BeforeAll {
        $cmdlet = $_
        $parameters = (Get-Command $cmdlet).Parameters
    }

    BeforeEach {
        $folder = New-ScratchFolder
        $good = "$folder/good"
        $missing = "$folder/missing"
        Set-Content $good, "$folder/reference" ('content' * 1000)
        $more = @{}
        foreach ($name in @{ Destination = 'new'; ReferencePath = 'reference' }.GetEnumerator()) {
            if ($parameters.ContainsKey($name.Key)) {
                $more[$name.Key] = "$folder/$($name.Value)"
            }
        }

        # What is exported is a directory.
        if ($parameters.ContainsKey('FilePath')) {
            $good = (New-Item -ItemType Directory "$folder/directory").FullName
            $more += @{ FilePath = "$folder/file"; Force = $true }
        }
    }

    It 'says of a bad item what it is, where, of which kind, and what to do' {
        & $cmdlet -LiteralPath $missing @more -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures | Should -HaveCount 1
        $failure = $failures[0]
        $failure.FullyQualifiedErrorId | Should -Match '^SourceNotFound,BtrfsClone\.PowerShell\.\w+Command$'
        $failure.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $failure.CategoryInfo.Activity | Should -Be $cmdlet
        $failure.TargetObject | Should -Be $missing
        $failure.Exception | Should -BeOfType BtrfsClone.BtrfsException
        $failure.InvocationInfo.MyCommand.Name | Should -Be $cmdlet
        $failure.ErrorDetails.RecommendedAction | Should -Match '^[A-Z].*\.$'
        $shown = $failure | Out-String -Width 1000
        $shown | Should -Match ([regex]::Escape($missing))
        $shown | Should -Match ([regex]::Escape($failure.ErrorDetails.RecommendedAction))
    }

    It 'goes on after it, and tells $? of it' {
        if ($parameters.ContainsKey('InputObject')) {
            & $cmdlet -LiteralPath $missing, $good -ErrorAction SilentlyContinue -ErrorVariable failures | Out-Null
        } else {
            $missing, $good | ForEach-Object { [pscustomobject] @{ PSPath = $_ } } | & $cmdlet @more -ErrorAction SilentlyContinue -ErrorVariable failures | Out-Null
        }

        $failures | Should -HaveCount 1

        $null = & $cmdlet -LiteralPath $missing @more -ErrorAction SilentlyContinue
        $? | Should -BeFalse
        $null = & $cmdlet -LiteralPath $good @more
        $? | Should -BeTrue
    }

    It 'obeys -ErrorAction and $ErrorActionPreference' {
        { & $cmdlet -LiteralPath $missing @more -ErrorAction Stop } | Should -Throw -ErrorId 'SourceNotFound,*'
        { $ErrorActionPreference = 'Stop'; & $cmdlet -LiteralPath $missing @more } | Should -Throw -ErrorId 'SourceNotFound,*'
        $before = $global:Error.Count
        & $cmdlet -LiteralPath $missing @more -ErrorAction Ignore
        $global:Error.Count | Should -Be $before
    }

    It 'gathers errors with -ErrorVariable +' {
        & $cmdlet -LiteralPath $missing @more -ErrorAction SilentlyContinue -ErrorVariable failures
        & $cmdlet -LiteralPath "$missing.too" @more -ErrorAction SilentlyContinue -ErrorVariable +failures
        $failures.TargetObject | Should -Be $missing, "$missing.too"
    }

    It 'is silent on the other streams when all is well' {
        $null = & $cmdlet -LiteralPath $good @more -ErrorVariable failures -WarningVariable warnings -InformationVariable information
        $failures.Count + $warnings.Count + $information.Count | Should -Be 0
    }
}

Describe 'A name with control characters' {
    It 'writes none of them to a terminal' {
        $folder = New-ScratchFolder
        Set-Content -LiteralPath "$folder/bell`a" 'content'
        Set-Content -LiteralPath "$folder/big`a" ('content' * 1000)
        $shown = pwsh -NoProfile -NonInteractive -Command @"
            Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'
            Set-Location '$folder'
            Copy-BtrfsItem "bell``a" "clone``a" -WhatIf
            Copy-BtrfsItem "bell``a" "clone``a" -Verbose -PassThru | Out-String -Width 1000
            Copy-BtrfsRange "bell``a" "clone``a" -WhatIf
            Merge-BtrfsItem "bell``a" "clone``a" -WhatIf
            Get-BtrfsExtent "bell``a" | Out-String -Width 1000
            Measure-BtrfsItem "bell``a" | Out-String -Width 1000
            Compare-BtrfsItem "bell``a" "clone``a" | Out-String -Width 1000
            cp --reflink=never 'big`a' 'big-too`a'
            Find-BtrfsDuplicate . -FileOnly | Out-String -Width 1000
            Find-BtrfsDuplicate . -FileOnly | Merge-BtrfsItem -WhatIf
            Find-BtrfsDuplicate . -FileOnly | Merge-BtrfsItem | Out-String -Width 1000
"@
        $text = $shown -join "`n"
        $text | Should -Not -Match "`a"
        [regex]::Matches($text, '(bell|clone)\\x07').Count | Should -Be 12
        # The group, what would be merged and what was.
        [regex]::Matches($text, 'big(-too)?\\x07').Count | Should -Be 4
    }
}
