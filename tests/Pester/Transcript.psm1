<#
    Transcripts are the examples of the documentation: lines that begin with "PS> " (or "$ " for a shell) are
    commands, lines that begin with ">> " go on with one, and what follows is what a user sees.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# What the file system or the clock chooses. Everything else in an example has to be as it is shown.
$script:chosen = 'DiskOffset', 'PhysicalOffset', 'Generation', 'Elapsed'

# The pages with transcripts, in the order in which one reads them.
function Get-DocumentedPage {
    param([string] $Checkout)

    "$Checkout/README.md"
    (Get-Item "$Checkout/docs/*.md", "$Checkout/en-US/about_*.help.txt" | Where-Object { Select-String 'PS> ' $_ -Quiet }).FullName
    "$Checkout/en-US/BtrfsClone.PowerShell.dll-Help.xml"
}

# The transcripts in a MAML file, a Markdown page or a help text.
function Get-Transcript {
    param([string] $Path)

    $text = [IO.File]::ReadAllText($Path)
    if ($Path.EndsWith('.xml')) {
        foreach ($example in ([xml] $text).GetElementsByTagName('command:example')) {
            New-Transcript $example.ParentNode.ParentNode.details.name $example.title.Trim('-', ' ') $example.code
        }
    } else {
        $isMarkdown = $Path.EndsWith('.md')
        $block = $isMarkdown ? '(?ms)^```\w+\n(?<code>(PS>|\$) .*?)^```' : '(?m)(?<code>^ {8}(PS>|\$) .*\n(( {8}.*)?\n)*)'
        $heading = $isMarkdown ? '(?m)^#+ (.+)' : '(?m)^ {0,2}(\S.+)'
        foreach ($match in [regex]::Matches($text, $block)) {
            $title = [regex]::Matches($text.Substring(0, $match.Index), $heading)[-1].Groups[1].Value
            $line = $text.Substring(0, $match.Index).Split("`n").Count
            New-Transcript (Split-Path $Path -Leaf) "$title, line $line" ($match.Groups['code'].Value -replace '(?m)^ {8}')
        }
    }
}

function New-Transcript {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([string] $Source, [string] $Title, [string] $Code)

    $steps = [Collections.Generic.List[object]]::new()
    foreach ($line in $Code.TrimEnd() -split "`n") {
        if ($line -match '^(?<prompt>PS>|\$) (?<command>.+)') {
            $steps.Add([pscustomobject]@{ Command = $Matches.command; Shell = $Matches.prompt -eq '$'; Output = [Collections.Generic.List[string]]::new() })
        } elseif ($line -match '^>> ?(?<command>.*)') {
            $steps[-1].Command += "`n$($Matches.command)"
        } else {
            $steps[-1].Output.Add($line)
        }
    }

    [pscustomobject]@{ Source = $Source; Title = $Title; Steps = $steps }
}

# Runs transcripts as they are printed, one after the other in one session, and writes for each step its expected and its
# actual output. The session has mounts of its own: what the machine has at /data is not seen and not touched.
function Invoke-Transcript {
    param([object[]] $Transcript, [string] $Checkout)

    $json = [IO.Path]::GetTempFileName()
    try {
        ConvertTo-Json @($Transcript) -Depth 5 | Set-Content -LiteralPath $json
        $said = unshare --mount sh -c '
            for folder in /data /data-usb; do
                if [ -d $folder ]; then mount -t tmpfs none $folder; else new="$new $folder"; fi
            done
            pwsh -NoProfile -NonInteractive -File "$0" "$1" "$2" 2>&1
            for folder in $new; do [ ! -d $folder ] || { umount --lazy --quiet $folder; rmdir $folder; }; done' "$PSScriptRoot/invoke-transcript.ps1" $json $Checkout
    } finally {
        Remove-Item -LiteralPath $json
    }

    $actual = @{}
    $key = ''
    foreach ($line in $said) {
        if ($line -match '^@@@ (.+)') {
            $key = $Matches[1]
            $actual[$key] = [Collections.Generic.List[string]]::new()
        } elseif ($key) {
            $actual[$key].Add($line)
        }
    }

    for ($i = 0; $i -lt $Transcript.Count; $i++) {
        $one = $Transcript[$i]
        for ($step = 0; $step -lt $one.Steps.Count; $step++) {
            if (-not $actual.ContainsKey("$i $step")) {
                throw "'$($one.Steps[$step].Command)' did not run. The last words were: $($said | Select-Object -Last 5)"
            }

            [pscustomobject]@{
                Source = $one.Source
                Title = $one.Title
                Command = $one.Steps[$step].Command
                Expected = ConvertTo-Comparable $one.Steps[$step].Output
                Actual = ConvertTo-Comparable $actual["$i $step"]
            }
        }
    }
}

# The words of an output, whatever the widths of its columns and lines, with those left out that are not chosen by
# the command.
function ConvertTo-Comparable {
    param([string[]] $Line)

    $columns = @()
    $header = ''
    $words = foreach ($one in $Line) {
        if ($one -match '^[\s-]*--[\s-]*$') {
            # Under a table's header: where the columns are that do not count.
            $columns = @([regex]::Matches($header, '\S+') | Where-Object Value -In $script:chosen)
        } elseif (-not $one.Trim()) {
            $columns = @()
        } elseif ($one -match '^\s*"?(\w+)"?\s*: ' -and $Matches[1] -in $script:chosen) {
            $Matches[1], ':', '*'
            continue
        }

        $header = $one
        foreach ($word in [regex]::Matches($one, '\S+')) {
            $masked = $columns | Where-Object { $_.Index -lt $word.Index + $word.Length -and $word.Index -lt $_.Index + $_.Length }
            $masked ? '*' : $word.Value
        }
    }

    $words -join ' '
}

Export-ModuleMember -Function *-Transcript, Get-DocumentedPage
