BeforeDiscovery {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $skipRoot = -not (Test-Root)
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
        $failure.Exception | Should -BeOfType Management.Automation.ItemNotFoundException
        $failure.Exception.InnerException | Should -BeOfType BtrfsClone.BtrfsException
        $failure.Exception.Errno | Should -Be 2
        # What happened, the path and the reason are told once.
        $failure.Exception.Message | Should -Be "'$missing': no such file or directory ($($failure.Exception.Call))."
        $failure.InvocationInfo.MyCommand.Name | Should -Be $cmdlet
        $failure.ErrorDetails.RecommendedAction | Should -Match '^[A-Z].*\.$'
        $shown = $failure | Out-String -Width 1000
        $shown | Should -Match ([regex]::Escape($missing))
        $shown | Should -Match ([regex]::Escape($failure.ErrorDetails.RecommendedAction))
    }

    It 'lets scripts catch it as they catch it of Get-Item' {
        $caught = try {
            & $cmdlet -LiteralPath $missing @more -ErrorAction Stop
        } catch [Management.Automation.ItemNotFoundException] {
            $_
        }
        $caught.FullyQualifiedErrorId | Should -Match '^SourceNotFound,BtrfsClone\.PowerShell\.\w+Command$'
        $caught.TargetObject | Should -Be $missing
        $caught.ErrorDetails.RecommendedAction | Should -Match '^[A-Z].*\.$'
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
        & $cmdlet -LiteralPath $good @more *>&1 | Where-Object { $_ -is [Management.Automation.InformationalRecord] } | Should -BeNullOrEmpty
    }

    It 'tells its system calls in the debug stream, those that fail too' {
        # The switch would ask for confirmation, too.
        $DebugPreference = 'Continue'
        foreach ($path in $good, $missing) {
            $said = & $cmdlet -LiteralPath $path @more -ErrorAction SilentlyContinue 5>&1 |
                Where-Object { $_ -is [Management.Automation.DebugRecord] }
            $said.Message | Should -Not -BeNullOrEmpty
            $said.Message | Should -Match '^System calls: \w+( E\w+)? \d+'
            $said.Message -join ' ' | Should -Match ($path -eq $good ? '\bOpenAt \d' : '\bENOENT \d')
        }
    }
}

Describe 'What is mounted below an item' -Skip:$skipRoot {
    BeforeAll {
        $folder = New-ScratchFolder
        Push-Location $folder
        Invoke-Tool mkdir -p tree/kernel
        Set-Content tree/file ('content' * 1000)
        Copy-BtrfsItem tree clone
        Invoke-Tool mount -t proc proc tree/kernel
        $more = @{
            'Copy-BtrfsItem' = @{ Destination = 'clone'; NoTargetDirectory = $true }
            'Export-BtrfsItem' = @{ FilePath = 'stream'; Force = $true }
            'Export-BtrfsReport' = @{ FilePath = 'page'; Force = $true }
            'Get-BtrfsExtent' = @{ Recurse = $true }
            'Show-BtrfsExtentMap' = @{ Recurse = $true }
            'Sync-BtrfsItem' = @{ Destination = 'clone' }
        }
        foreach ($name in 'Compare-BtrfsItem', 'Merge-BtrfsItem', 'Test-BtrfsClone') {
            $more[$name] = @{ ReferencePath = 'clone' }
        }
    }

    AfterAll {
        Invoke-Tool umount tree/kernel
        Pop-Location
    }

    It 'is left out by <_> with one warning, and with none where that is asked for' -ForEach @(
        $cmdlets | Where-Object { $_ -notin 'Copy-BtrfsRange', 'Get-BtrfsExtentOwner' }
    ) {
        $own = $more[$_] ?? @{}
        $null = & $_ tree @own -WarningVariable warnings -WarningAction SilentlyContinue -ErrorAction Stop
        $warnings | Should -HaveCount 1
        $warnings[0].Message | Should -Match "'$folder/tree/kernel' is left out: .* is mounted there\."
        $null = & $_ tree @own -OneFileSystem -WarningVariable warnings -WarningAction SilentlyContinue -ErrorAction Stop
        $warnings | Should -BeNullOrEmpty
    }
}

Describe 'The debug stream' {
    It 'counts what was called' {
        $folder = New-ScratchFolder
        Set-Content "$folder/one", "$folder/two" ('content' * 1000)
        $DebugPreference = 'Continue'
        $said = Get-Item "$folder/*" | Copy-BtrfsItem -Destination "$folder/copies" 5>&1
        $said.Message | Where-Object { $_ -match '\bClone 1\b' } | Should -HaveCount 2
        Get-BtrfsExtent "$folder/one" -Source Fiemap 5>&1 | Select-Object -Last 1 | Should -Match '\bFiemap 1\b'
    }
}

Describe '-Verbose' {
    BeforeAll {
        function Get-Said {
            param([scriptblock] $Command)

            (& $Command 4>&1 | Where-Object { $_ -is [Management.Automation.VerboseRecord] }).Message
        }

        $folder = New-ScratchFolder
        New-OneExtentFile "$folder/file" 1MB
        $null = New-Item -ItemType Directory "$folder/tree"
        Set-Content "$folder/tree/small" 'content'
        sync -f $folder
    }

    It 'says where Get-BtrfsExtent has read from, and why a field is empty' {
        Get-Said { Get-BtrfsExtent "$folder/file" -Source Fiemap -Verbose } | Should -Match 'by FIEMAP; what only btrfs''s trees tell is empty'
        if (-not (Test-Root)) {
            return
        }

        Get-Said { Get-BtrfsExtent "$folder/file" -Verbose } | Should -Match 'from btrfs''s trees'
        Get-Said { Show-BtrfsExtentMap "$folder/file" -Verbose } | Should -Match 'from btrfs''s trees'
        chmod 755 $folder
        Invoke-AsUser "Get-BtrfsExtent '$folder/file' -Verbose 4>&1 | Select-Object -First 1" | Should -Match 'by FIEMAP, since btrfs''s trees need CAP_SYS_ADMIN'
        Invoke-AsUser "Measure-BtrfsItem '$folder/file' -Verbose 4>&1 | Select-Object -First 1" | Should -Match 'is empty: only btrfs''s trees tell it'

        # What is not committed has no references yet, unless the kernel has just committed by itself.
        dd if=/dev/urandom of=$folder/file bs=4K count=1 seek=10 conv=notrunc,fsync status=none
        $isEmpty = $null -in (Get-BtrfsExtent "$folder/file").ReferenceCount
        $said = Get-Said { Get-BtrfsExtent "$folder/file" -Verbose }
        if ($isEmpty -and $null -in (Get-BtrfsExtent "$folder/file").ReferenceCount) {
            "$said" | Should -Match 'not committed yet, whose ReferenceCount is empty'
        }
    }

    It 'says how often Wait-BtrfsDelalloc has looked at what was written' {
        dd if=/dev/urandom of=$folder/written bs=1M count=8 status=none
        Get-Said { Wait-BtrfsDelalloc "$folder/written" -Verbose } | Should -Match '^''[^'']+/written'' is quiet: 1 with delayed data .* up to [2-9]\d* times'
        Get-Said { Wait-BtrfsDelalloc "$folder/written", $folder -Verbose } | Should -Match 'nothing was delayed or in flight'
    }

    It 'says what Compare-BtrfsItem has read' {
        Copy-BtrfsItem "$folder/tree" "$folder/clone"
        Get-Said { Compare-BtrfsItem "$folder/tree" "$folder/clone" -Verbose } | Should -Match '8 bytes of inline data were compared by content'
        Copy-BtrfsItem "$folder/file" "$folder/again"
        Get-Said { Test-BtrfsClone "$folder/file" "$folder/again" -Verbose } | Should -Match 'no content was read'
    }

    It 'says what Sync-BtrfsItem has looked at' {
        Get-Said { Sync-BtrfsItem "$folder/tree" "$folder/synced" -Verbose } | Should -Not -Match 'only at what has changed'
        $said = Sync-BtrfsItem "$folder/tree" "$folder/synced" -Verbose 4>&1
        [bool] ($said -match 'only at what has changed') | Should -Be ($null -eq $said[-1].Unchanged)
    }

    It 'says what is left out' {
        Get-Said { Get-ChildItem $folder | Copy-BtrfsItem -Destination "$folder/some" -Include file -Verbose } | Should -Contain "'$folder/written' is left out."
        Get-Said { Get-ChildItem $folder | Find-BtrfsDuplicate -Exclude tree -Verbose } | Should -Match '1 items were left out by their names'
        foreach ($cmdlet in 'Get-BtrfsExtent', 'Get-BtrfsExtentOwner') {
            Get-Said { Get-Item "$folder/tree" | & $cmdlet -Verbose } | Should -Be "'$folder/tree' is not a regular file; it is left out."
        }
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
