BeforeDiscovery {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $script:skipRoot = -not (Test-Root)
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # The one error of a command.
    function Get-Failure([scriptblock] $Command) {
        $ErrorActionPreference = 'Continue'
        $failures = @(& $Command 2>&1 | Where-Object { $_ -is [Management.Automation.ErrorRecord] })
        $failures | Should -HaveCount 1
        $failures[0]
    }
}

Describe 'The error' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        Set-Content file 'some text'
    }

    AfterEach {
        Pop-Location
    }

    It 'of <name> is <id>, and its advice is in the words of PowerShell' -ForEach @(
        @{ name = 'a name that is too long'; id = 'NameTooLong'; what = 'name is longer'; advice = 'shorter name'
            command = { Copy-BtrfsItem file ('x' * 256) } }
        @{ name = 'a path through a file'; id = 'NotADirectory'; what = 'not a directory'; advice = 'directories only'
            command = { Copy-BtrfsRange file file/x } }
        @{ name = 'a circle of links'; id = 'SourceNotFound'; what = 'too many symbolic links'; advice = 'circle of links'
            command = { Invoke-Tool ln -s circle circle; Get-BtrfsExtent -LiteralPath circle/x } }
        @{ name = 'a directory in the way'; id = 'DestinationExists'; what = 'another type'; advice = 'Remove it, or name another destination\.$'
            command = { $null = New-Item -ItemType Directory other/file; Copy-BtrfsItem file other } }
        @{ name = 'a file that -NoClobber keeps'; id = 'DestinationExists'; what = 'exists'; advice = 'Leave out -NoClobber'
            command = { Set-Content old 1; Copy-BtrfsItem file old -NoClobber } }
        @{ name = 'a file without write permission'; id = 'DestinationReadOnly'; what = 'no write permission'; advice = 'Use -Force to'
            command = { Set-Content old 1; Invoke-Tool chmod a-w old; Copy-BtrfsItem file old } }
        @{ name = 'another filesystem'; id = 'CrossDevice'; what = 'different filesystems'; advice = '-Reflink Auto\.$'
            command = { Copy-BtrfsItem /bin/true new } }
    ) {
        $failure = Get-Failure $command
        $failure.FullyQualifiedErrorId | Should -Match "^$id,"
        $failure.ToString() | Should -Match $what
        $failure.ErrorDetails.RecommendedAction | Should -Match $advice
        "$failure $($failure.ErrorDetails.RecommendedAction)" | Should -Not -Match '[{}]|--[a-z]|dmesg'
    }

    It 'of a wrong argument, <id>, is caught by its type with its id and its advice' -ForEach @(
        @{ id = 'ParametersNotTogether'; command = { Copy-BtrfsItem file new -Atomic -Update } }
        @{ id = 'InvalidPattern'; command = { Copy-BtrfsItem file new -Exclude '' } }
        @{ id = 'NotFileSystem'; command = { Copy-BtrfsItem file Env:new } }
        @{ id = 'NotFileSystem'; command = { Get-BtrfsExtent Env:PATH -ErrorAction Stop } }
        @{ id = 'SeveralItems'; command = { Set-Content file2 x; Copy-BtrfsRange file* new -ErrorAction Stop } }
        @{ id = 'NotAnExtent'; command = { Show-BtrfsExtentMap -InputObject @{ Offset = 1 } -ErrorAction Stop } }
    ) {
        $caught = try {
            $null = & $command
        } catch [ArgumentException] {
            $_
        }
        $caught.FullyQualifiedErrorId | Should -Match "^$id,BtrfsClone\.PowerShell\."
        $caught.ErrorDetails.RecommendedAction | Should -Match '^[A-Z].*\.$'
    }

    It 'names a program that runs from the destination' {
        Invoke-Tool cp /bin/sleep sleep
        $program = Start-Process ./sleep 60 -PassThru
        try {
            while ((Get-Item "/proc/$($program.Id)/exe").LinkTarget -ne "$folder/sleep") {
                Start-Sleep -Milliseconds 10
            }

            $failure = Get-Failure { Copy-BtrfsRange file sleep }
            $failure.FullyQualifiedErrorId | Should -Match '^FileBusy,'
            $failure.CategoryInfo.Category | Should -Be 'ResourceBusy'
        } finally {
            $program.Kill()
        }
    }

    It 'names an active swap file as destination' -Skip:$skipRoot {
        $null = New-Item swap
        Invoke-Tool chattr +C swap
        Invoke-Tool fallocate -l 16M swap
        Invoke-Tool chmod 600 swap
        Invoke-Tool mkswap -q swap
        Invoke-Tool swapon swap
        try {
            $failure = Get-Failure { Copy-BtrfsItem file swap }
            $failure.FullyQualifiedErrorId | Should -Match '^SwapFile,'
            $failure.TargetObject | Should -Be "$folder/swap"
        } finally {
            Invoke-Tool swapoff swap
        }
    }
}
