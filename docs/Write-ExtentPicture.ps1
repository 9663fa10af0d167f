#requires -Version 7.4
<#
.SYNOPSIS
    Draws where files and their clones lie on the disk: a row for each file, one for the extents, and bands between them.
.DESCRIPTION
    docs/extents.svg is what it makes of a file of 64 MiB and its clone, of which 8 MiB in the middle were written anew; as root,
    ./build.ps1 Picture makes both on a scratch btrfs. It reads btrfs's trees, which needs root.
.PARAMETER LiteralPath
    A file and its clone. The first is drawn above the extents, the second below.
.PARAMETER OutputPath
    The picture to write.
#>
param(
    [Parameter(Mandatory)] [ValidateCount(2, 2)] [string[]] $LiteralPath,
    [Parameter(Mandatory)] [string] $OutputPath
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$left, $width, $height = 16, 688, 30
$colours = '#4f81bd', '#e08a3c', '#6aa84f', '#8e63ce'

function Get-X([double] $Bytes) {
    ($left + $width * $Bytes / $total).ToString('0.#', [cultureinfo]::InvariantCulture)
}

function Get-Box([double] $From, [double] $To, [int] $Y, [string] $Colour) {
    $span = ($width * ($To - $From) / $total).ToString('0.#', [cultureinfo]::InvariantCulture)
    "<rect x=`"$(Get-X $From)`" y=`"$Y`" width=`"$span`" height=`"$height`" fill=`"$Colour`" stroke=`"#fff`"/>"
}

function Get-Text([double] $X, [int] $Y, [string] $Text) {
    "<text x=`"$($X.ToString('0.#', [cultureinfo]::InvariantCulture))`" y=`"$Y`">$([Security.SecurityElement]::Escape($Text))</text>"
}

$files = foreach ($path in $LiteralPath) {
    , @(Get-BtrfsExtent -LiteralPath $path -Source Tree | Where-Object DiskOffset)
}

# Extents one beside the other, in the order of the first use; their places on the disk say nothing here.
$extents = [ordered]@{}
$used = 0
foreach ($piece in $files | ForEach-Object { $_ }) {
    if ($extents.Contains("$($piece.DiskOffset)")) {
        continue
    }

    $extents["$($piece.DiskOffset)"] = [pscustomobject]@{
        Length = $piece.RamLength
        At     = $used
        Colour = $colours[$extents.Count % $colours.Count]
        Name   = "extent $([char]([int] [char] 'A' + $extents.Count)) ($($piece.RamLength / 1MB) MiB)"
    }
    $used += $piece.RamLength
}

$ends = @($used) + @($files | ForEach-Object { $_[-1].Offset + $_[-1].Length })
$total = ($ends | Measure-Object -Maximum).Maximum
$rows = @(34, 204)
$disk = 119
$lines = @(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 258" font-family="system-ui, sans-serif" font-size="13">'
    "<title>A file and its clone share all extents but the one that was written anew</title>"
    '<style>text { fill: #222 } svg { background: #fff }',
    '@media (prefers-color-scheme: dark) { text { fill: #ddd } svg { background: #1b1b1b } }</style>'
    for ($row = 0; $row -lt 2; $row++) {
        $edges = $row -eq 0 ? @($rows[0] + $height; $disk) : @($rows[1]; $disk + $height)
        foreach ($piece in $files[$row]) {
            $extent = $extents["$($piece.DiskOffset)"]
            $from, $to = ($extent.At + $piece.ExtentOffset), ($extent.At + $piece.ExtentOffset + $piece.Length)
            $above = "$(Get-X $piece.Offset),$($edges[0]) $(Get-X ($piece.Offset + $piece.Length)),$($edges[0])"
            $below = "$(Get-X $to),$($edges[1]) $(Get-X $from),$($edges[1])"
            "<polygon points=`"$above $below`" fill=`"$($extent.Colour)`" opacity=`"0.25`"/>"
            Get-Box $piece.Offset ($piece.Offset + $piece.Length) $rows[$row] $extent.Colour
        }
    }

    foreach ($extent in $extents.Values) {
        Get-Box $extent.At ($extent.At + $extent.Length) $disk $extent.Colour
    }

    Get-Text $left 24 "$(Split-Path -Leaf $LiteralPath[0]), a file"
    Get-Text $left 111 "on the disk: $($extents.Values.Name -join ', ')"
    Get-Text $left 248 "$(Split-Path -Leaf $LiteralPath[1]), its clone: $(@($files[1]).Count) pieces"
    '</svg>'
)
[IO.File]::WriteAllText($OutputPath, ($lines -join "`n") + "`n")
