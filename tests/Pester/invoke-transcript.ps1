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

$transcripts = Get-Content -LiteralPath $Path -Raw | ConvertFrom-Json
for ($i = 0; $i -lt $transcripts.Count; $i++) {
    $transcript = $transcripts[$i]
    sh "$PSScriptRoot/make-data.sh" $transcript.Data $transcript.Other
    & {
        Set-Location -LiteralPath $transcript.Data
        for ($step = 0; $step -lt $transcript.Steps.Count; $step++) {
            "@@@ $i $step"
            $command = $transcript.Steps[$step].Command.Replace('/data', $transcript.Data).Replace('/mnt/usb', $transcript.Other)
            if ($transcript.Steps[$step].Shell) {
                sh -c $command 2>&1 | ForEach-Object { "$_" }
            } else {
                . ([scriptblock]::Create($command)) 2>&1 | Out-String -Stream -Width 200
            }
        }
    }
}
