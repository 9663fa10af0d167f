<#
.SYNOPSIS
    Runs the commands of transcripts and writes what a user would see, after a line that says which command it was.
.DESCRIPTION
    It runs in a pwsh of its own, so that all that commands write to the host is seen, too.
.PARAMETER Path
    The transcripts as JSON: for each its Steps with Command and Shell, and the folders Data and Other to run in.
.PARAMETER Manifest
    The module to use.
#>
param([string] $Path, [string] $Manifest)

Set-StrictMode -Version Latest
Import-Module $Manifest
$PSStyle.OutputRendering = 'PlainText'
$ProgressPreference = 'SilentlyContinue'
$env:PATH = "$(Split-Path $Manifest)/bin:$env:PATH"

# The commands share a scope with the blocks below, but not these names.
$transcripts = Get-Content -LiteralPath $Path -Raw | ConvertFrom-Json
for ($transcriptNumber = 0; $transcriptNumber -lt $transcripts.Count; $transcriptNumber++) {
    $transcript = $transcripts[$transcriptNumber]
    sh "$PSScriptRoot/make-data.sh" $transcript.Data $transcript.Other
    & {
        Set-Location -LiteralPath $transcript.Data
        for ($stepNumber = 0; $stepNumber -lt $transcript.Steps.Count; $stepNumber++) {
            "@@@ $transcriptNumber $stepNumber"
            $stepText = $transcript.Steps[$stepNumber].Command.Replace('/data', $transcript.Data).Replace('/mnt/usb', $transcript.Other)
            if ($transcript.Steps[$stepNumber].Shell) {
                sh -c $stepText 2>&1 | ForEach-Object { "$_" }
            } else {
                . ([scriptblock]::Create($stepText)) 2>&1 | Out-String -Stream -Width 1000
            }
        }
    }
}
