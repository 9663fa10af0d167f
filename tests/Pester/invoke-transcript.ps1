<#
.SYNOPSIS
    Runs the commands of transcripts and writes what a user would see, after a line that says which command it was.
.DESCRIPTION
    It runs in a pwsh of its own, so that all that commands write to the host is seen, too. All run in one session, from top to
    bottom. The README makes the files for itself; every other page begins with files that are made anew, as it says.
.PARAMETER Path
    The transcripts as JSON: for each its Source and its Steps, with Command and Shell.
.PARAMETER Checkout
    The checkout, which is built.
#>
param([string] $Path, [string] $Checkout)

Set-StrictMode -Version Latest
$PSStyle.OutputRendering = 'PlainText'
$ProgressPreference = 'SilentlyContinue'
$env:PATH = "$Checkout/bin:$env:PATH"

# The commands share a scope with what is below, but not these names.
$transcripts = Get-Content -LiteralPath $Path -Raw | ConvertFrom-Json
Set-Location -LiteralPath $Checkout
$transcriptPage = 'README.md'
if ($transcripts[0].Source -ne $transcriptPage) {
    Import-Module ./BtrfsClone.psd1
}

for ($transcriptNumber = 0; $transcriptNumber -lt $transcripts.Count; $transcriptNumber++) {
    $transcript = $transcripts[$transcriptNumber]
    if ($transcript.Source -ne $transcriptPage) {
        $transcriptPage = $transcript.Source
        Set-Location /
        if (Test-Path /data-usb/*) {
            umount /data /data-usb
        }

        $null = btrfs-clone demo --keep /data
        Set-Location /data
    }

    for ($stepNumber = 0; $stepNumber -lt $transcript.Steps.Count; $stepNumber++) {
        "@@@ $transcriptNumber $stepNumber"
        $stepText = $transcript.Steps[$stepNumber].Command
        if ($transcript.Steps[$stepNumber].Shell) {
            sh -c $stepText 2>&1 | ForEach-Object { "$_" }
        } else {
            . ([scriptblock]::Create($stepText)) 2>&1 | Out-String -Stream -Width 1000
        }
    }
}
