<#
.SYNOPSIS
    Runs the tests of the cmdlets; ends with 1 when any fails.
.PARAMETER ResultPath
    A file that receives the numbers of passed, failed and skipped tests, as JSON.
#>
param([string] $ResultPath)

# The tests inherit it, and so see whether the cmdlets and their objects can be used under it.
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0
Import-Module "$PSScriptRoot/Scratch.psm1"
try {
    $result = Invoke-Pester -Path $PSScriptRoot -PassThru

    # A file that cannot be read, or whose BeforeAll fails, holds no failed test.
    $failed = $result.FailedCount + $result.FailedBlocksCount + $result.FailedContainersCount
    if ($ResultPath) {
        @{ Passed = $result.PassedCount; Failed = $failed; Skipped = $result.SkippedCount } |
            ConvertTo-Json | Set-Content -LiteralPath $ResultPath
    }
} finally {
    Remove-Scratch
}

exit [int] ($failed -gt 0)
