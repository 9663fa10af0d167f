<#
.SYNOPSIS
    Makes all that a release consists of, below out/release, out of what build.ps1 has packed.
.DESCRIPTION
    Two runs on one commit give the same bytes, wherever the checkouts are: archives have sorted entries, and the commit's time in
    place of the time of the run. SOURCE_DATE_EPOCH names another one, and is needed where there is no git.
.PARAMETER Checkout
    The checkout.
.PARAMETER Epoch
    The time that files in archives have, in seconds since 1970.
#>
param([Parameter(Mandatory)] [string] $Checkout, [Parameter(Mandatory)] [long] $Epoch)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$release = "$Checkout/out/release"
$data = Import-PowerShellDataFile "$Checkout/BtrfsClone.psd1"
$prerelease = $data.PrivateData.PSData.Prerelease
$version = $prerelease ? "$($data.ModuleVersion)-$prerelease" : $data.ModuleVersion
$time = [DateTimeOffset]::FromUnixTimeSeconds($Epoch)

# A zip whose bytes depend on names and contents alone.
function Compress-Folder {
    param([string] $Folder, [string] $Destination, [string] $Prefix = '')

    $zip = [IO.Compression.ZipFile]::Open($Destination, 'Create')
    try {
        $names = [IO.Directory]::GetFiles($Folder, '*', 'AllDirectories') | ForEach-Object { [IO.Path]::GetRelativePath($Folder, $_) }
        [Array]::Sort($names, [StringComparer]::Ordinal)
        foreach ($name in $names) {
            $entry = $zip.CreateEntry("$Prefix$name", 'SmallestSize')
            $entry.LastWriteTime = $time
            # A regular file that everybody may read.
            $entry.ExternalAttributes = 0x81A4 -shl 16
            $content = [IO.File]::ReadAllBytes("$Folder/$name")
            $stream = $entry.Open()
            $stream.Write($content, 0, $content.Length)
            $stream.Dispose()
        }
    } finally {
        $zip.Dispose()
    }
}

# NuGet gives a package the time of the run, and names for its parts that are drawn by lot.
function Copy-Package {
    param([string] $Package, [string] $Destination)

    $folder = "$Checkout/out/package"
    Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction Ignore
    [IO.Compression.ZipFile]::ExtractToDirectory($Package, $folder)
    $properties = Get-Item "$folder/package/services/metadata/core-properties/*.psmdcp"
    $relations = "$folder/_rels/.rels"
    $text = [IO.File]::ReadAllText($relations).Replace($properties.Name, 'properties.psmdcp')
    $relation = @{ Number = 0 }
    [IO.File]::WriteAllText($relations, ([regex]::Replace($text, ' Id="R\w+"', { " Id=`"R$(($relation.Number++))`"" })))
    Rename-Item -LiteralPath $properties properties.psmdcp
    Compress-Folder $folder $Destination
}

# What CycloneDX finds out about dependencies, without the time and the number of the run.
function Write-BillOfMaterials {
    # Where its version stands.
    Push-Location $PSScriptRoot
    try {
        dotnet tool restore | Out-Null
        dotnet dotnet-CycloneDX "$Checkout/src/BtrfsClone.Cli/BtrfsClone.Cli.csproj" --include-project-references --exclude-dev `
            --no-serial-number --set-name BtrfsClone --set-version $version --output-format Json --output $release --filename bom.json | Out-Null
    } finally {
        Pop-Location
    }

    $bill = Get-Content "$release/bom.json" -Raw | ConvertFrom-Json -AsHashtable -DateKind String
    $bill.metadata.timestamp = $time.ToString('yyyy-MM-ddTHH:mm:ssZ')
    [IO.File]::WriteAllText("$release/BtrfsClone-$version.cdx.json", ($bill | ConvertTo-Json -Depth 20) + "`n")
    Remove-Item "$release/bom.json"
}

# The section of the version in CHANGELOG.md, or of what is to come while it has none.
function Write-Note {
    $text = [IO.File]::ReadAllText("$Checkout/CHANGELOG.md")
    foreach ($heading in [regex]::Escape("[$version]"), [regex]::Escape($version), 'Unreleased') {
        $section = [regex]::Match($text, "(?ms)^## $heading[^\n]*\n(.*?)(?=^## |\z)")
        if ($section.Success) {
            [IO.File]::WriteAllText("$release/RELEASE-NOTES.md", $section.Groups[1].Value.Trim() + "`n")
            return
        }
    }

    throw "CHANGELOG.md has no section for $version."
}

Remove-Item -LiteralPath $release -Recurse -ErrorAction Ignore
$null = New-Item -ItemType Directory $release
Copy-Package "$Checkout/out/BtrfsClone.$version.nupkg" "$release/BtrfsClone.$version.nupkg"
Compress-Folder "$Checkout/out/BtrfsClone" "$release/BtrfsClone-$version.zip" 'BtrfsClone/'
Compress-Folder "$Checkout/out/symbols" "$release/BtrfsClone-$version-symbols.zip"
Get-Item "$Checkout/out/btrfs-clone_${version}_*.deb" -ErrorAction Ignore | Copy-Item -Destination $release
foreach ($machine in Get-Item "$Checkout/out/deb/*" -ErrorAction Ignore) {
    tar --sort=name "--mtime=@$Epoch" --owner=0 --group=0 --numeric-owner -C "$machine/usr" -cf - . |
        gzip -9n > "$release/btrfs-clone-$version-linux-$($machine.Name).tar.gz"
}

Write-BillOfMaterials
Write-Note
Push-Location $release
try {
    $names = [IO.Directory]::GetFiles($release) | ForEach-Object { [IO.Path]::GetFileName($_) }
    [Array]::Sort($names, [StringComparer]::Ordinal)
    sha256sum $names > SHA256SUMS
} finally {
    Pop-Location
}

Get-ChildItem $release
