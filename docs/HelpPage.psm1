<#
    Reads the pages of the help.

    What a page may hold: headings (##, and ### for an example, a parameter or a type), paragraphs, lists, fenced
    code, `code`, *emphasis* and [links](https://...). A parameter's section may end with a line "Default: ...".
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The sections of a page by heading; each is its own text under '' and the text of its subsections by their headings.
function Read-HelpPage {
    param([string] $Path)

    $page = @{}
    $lines = [Collections.Generic.List[string]]::new()
    $fenced = $false
    foreach ($line in [IO.File]::ReadAllLines($Path)) {
        $fenced = $fenced -xor $line.StartsWith('```')
        if (-not $fenced -and $line -match '^## (?<name>.+)') {
            $lines = [Collections.Generic.List[string]]::new()
            $section = $page[$Matches.name] = [ordered]@{ '' = $lines }
        } elseif (-not $fenced -and $line -match '^### -?(?<name>.+)') {
            $lines = [Collections.Generic.List[string]]::new()
            $section[$Matches.name] = $lines
        } else {
            $lines.Add($line)
        }
    }

    $page
}

# Paragraphs, list items and code, in their order.
function ConvertTo-HelpBlock {
    param([string[]] $Line)

    $text = $null
    $fenced = $false
    foreach ($entry in @($Line) + '') {
        if ($entry.StartsWith('```')) {
            $fenced = -not $fenced
            if (-not $fenced) {
                [pscustomobject]@{ IsCode = $true; Text = $text }
            }

            $text = $null
        } elseif ($fenced) {
            $text = $null -eq $text ? $entry : "$text`n$entry"
        } else {
            $startsItem = $entry -match '^- '
            if ($text -and ($startsItem -or -not $entry)) {
                [pscustomobject]@{ IsCode = $false; Text = ConvertTo-HelpText $text }
                $text = $null
            }

            if ($entry) {
                $text = $text ? "$text $($entry.Trim())" : $entry
            }
        }
    }
}

# Get-Help shows plain text. Code spans keep what is in them.
function ConvertTo-HelpText {
    param([string] $Text)

    $parts = $Text -split '`'
    for ($i = 0; $i -lt $parts.Count; $i += 2) {
        $parts[$i] = $parts[$i] -replace '\[([^\]]+)\]\((https?://[^)]+)\)', '$1 ($2)' -replace '\[([^\]]+)\]\([^)]+\)', '$1' -replace '\*+([^*]+)\*+', '$1'
    }

    -join $parts
}

Export-ModuleMember -Function *-Help*
