<#
.SYNOPSIS
    Runs the tests of the cmdlets; ends with 1 when any fails.
.PARAMETER Path
    The files to run; all of this folder by default.
.PARAMETER Line
    Only the tests that begin at such places, FILE:LINE. Those of one word are apart by line feeds, as those of -Path are.
.PARAMETER List
    Lists the tests without running them.
.PARAMETER ResultPath
    A file that receives an object for each test, as a line of JSON, whenever a file of tests is done.
#>
param(
    [string[]] $Path = "$PSScriptRoot/*.Tests.ps1",
    [string[]] $Line,
    [switch] $List,
    [string] $ResultPath
)

# The tests inherit it, and so see whether the cmdlets and their objects can be used under it.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0
Import-Module "$PSScriptRoot/Scratch.psm1"

# The engine keeps who has opened what, from its first call on.
[AppContext]::SetSwitch('BtrfsClone.TrackDescriptors', $true)
function Get-OpenDescriptor {
    # Of a reader that nobody has disposed of, the garbage collector is the last owner.
    [GC]::Collect()
    [GC]::WaitForPendingFinalizers()
    [AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'BtrfsClone' } | ForEach-Object {
        $_.GetType('BtrfsClone.Interop.DescriptorTracking', $true).GetMethod('TellLeftOpen').Invoke($null, @())
    }
}

# A line for a test.
function ConvertTo-Result {
    param([string] $File, [string[]] $Name, [string] $Text, [int] $At, [string] $Result, [timespan] $Duration, $ErrorRecord)

    [ordered]@{
        File     = $File
        Name     = $Name -join '.'
        Text     = $Text
        Line     = $At
        Result   = $Result
        Duration = $Duration.TotalSeconds
        Message  = @($ErrorRecord | ForEach-Object { $_.Exception.Message }) -join "`n"
        Trace    = @($ErrorRecord | ForEach-Object { $_.ScriptStackTrace }) -join "`n"
    } | ConvertTo-Json -Compress
}

function Invoke-File {
    param([string[]] $File, [string] $Verbosity)

    $configuration = New-PesterConfiguration
    $configuration.Run.Path = $File
    $configuration.Run.PassThru = $true
    $configuration.Run.SkipRun = [bool] $List
    $configuration.Output.Verbosity = $Verbosity
    if ($Line) {
        $configuration.Filter.Line = $Line -split "`n"
    }

    $run = Invoke-Pester -Configuration $configuration
    $results = @(
        foreach ($test in $run.Tests | Where-Object { $List -or $_.Result -ne 'NotRun' }) {
            ConvertTo-Result $test.ScriptBlock.File $test.Path $test.ExpandedPath $test.StartLine $test.Result $test.Duration $test.ErrorRecord
        }

        # A file that cannot be read, or whose BeforeAll or AfterAll fails, holds no failed test for that.
        foreach ($broken in @($run.FailedBlocks) + @($run.FailedContainers)) {
            $name = "$broken (the file, its BeforeAll or AfterAll)"
            ConvertTo-Result $File[0] $name $name 1 'Failed' $broken.Duration $broken.ErrorRecord
        }
        foreach ($left in Get-OpenDescriptor) {
            $name = "The cmdlets have left open: $left"
            Write-Warning $name
            ConvertTo-Result $File[0] 'Leaves no descriptor open' $name 1 'Failed' ([timespan]::Zero) @()
            $script:failed++
        }
    )
    if ($ResultPath -and $results) {
        Add-Content -LiteralPath $ResultPath $results
    }

    $script:failed += $run.FailedCount + $run.FailedBlocksCount + $run.FailedContainersCount
}

$script:failed = 0
$files = (Get-Item ($Path -split "`n")).FullName
try {
    if ($List) {
        Invoke-File $files None
    } else {
        foreach ($file in $files) {
            Invoke-File $file Normal
        }
    }
} finally {
    Remove-Scratch
}

exit [int] ($script:failed -gt 0)
