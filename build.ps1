#!/usr/bin/env pwsh
#requires -Version 7.4
<#
.SYNOPSIS
    Builds, tests and ships BtrfsClone. All of it is dotnet's and Pester's work.
.PARAMETER Task
    Build    fills bin/, so that Import-Module ./BtrfsClone.psd1 works. The default.
    Help     makes what Get-Help shows from the pages in docs/help.
    Test     runs the tests of the engine and the program, then those of the cmdlets.
    Bench    runs the program and the cmdlets against their peers, as root.
    Pack     makes the module as a folder, as a package for the PowerShell Gallery and as a zip, below out/.
    Install  puts the module into the current user's module path.
    Clean    removes what the other tasks made in this folder.
.PARAMETER BenchOption
    The bench's options: ./build.ps1 Bench --scenario 'a,b' --runs 3. With --help it lists them.
#>
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Help', 'Test', 'Bench', 'Pack', 'Install', 'Clean')]
    [string[]] $Task = 'Build',

    [Parameter(ValueFromRemainingArguments)]
    [string[]] $BenchOption = @()
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-Location $PSScriptRoot

$staging = "$PSScriptRoot/out/BtrfsClone"

function Invoke-Build {
    dotnet build
}

function Invoke-Help {
    dotnet build src/BtrfsClone.PowerShell
    pwsh -NoProfile -File docs/ConvertTo-Maml.ps1
}

function Invoke-Test {
    dotnet test
    # In a process of its own: a session that has loaded the module keeps its old build.
    pwsh -NoProfile -File tests/Pester/run.ps1
}

function Invoke-Bench {
    dotnet run -c Release --project tests/Benchmarks -- @BenchOption
}

# The module alone, without the program and the symbols, and for every machine. Compiled ahead of time it is imported no
# sooner (about 50 ms of processor time over an empty session either way), and the first clone is there 10 ms sooner: not
# worth assemblies three times as large that serve one architecture and one version of .NET.
function Copy-Module {
    Remove-Item -LiteralPath $staging -Recurse -ErrorAction Ignore
    dotnet build src/BtrfsClone.PowerShell -p:Precompile=false --output $staging/bin
    Remove-Item $staging/bin/* -Exclude BtrfsClone.dll, BtrfsClone.PowerShell.dll
    Copy-Item BtrfsClone.psd1, *.ps1xml, LICENSE, README.md, CHANGELOG.md $staging
    Copy-Item en-US $staging -Recurse
}

function Invoke-Pack {
    Copy-Module
    $manifest = Import-PowerShellDataFile BtrfsClone.psd1
    # The gallery finds a module by the names of its commands, too.
    $tags = $manifest.PrivateData.PSData.Tags + 'PSModule' + 'PSIncludes_Cmdlet' +
        ($manifest.CmdletsToExport | ForEach-Object { "PSCmdlet_$_"; "PSCommand_$_" })
    $values = @(
        "version=$($manifest.ModuleVersion)"
        "authors=$($manifest.Author)"
        "copyright=$($manifest.Copyright)"
        "description=$($manifest.Description)"
        "tags=$tags"
    ) -join ';'
    # NU5100: the package holds a module, whose assemblies are not for a project's lib folder.
    dotnet pack src/BtrfsClone.PowerShell --no-build --output out -p:NoWarn=NU5100 "-p:NuspecFile=BtrfsClone.nuspec" "-p:NuspecBasePath=$staging" "-p:NuspecProperties=`"$values`""
    $zip = "$PSScriptRoot/out/BtrfsClone-$($manifest.ModuleVersion).zip"
    Remove-Item -LiteralPath $zip -ErrorAction Ignore
    [IO.Compression.ZipFile]::CreateFromDirectory($staging, $zip, 'Optimal', $true)
}

function Invoke-Install {
    Copy-Module
    $version = (Import-PowerShellDataFile BtrfsClone.psd1).ModuleVersion
    $target = Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) "powershell/Modules/BtrfsClone/$version"
    # Sessions that have loaded the old files keep them: they are unlinked here, not overwritten.
    Remove-Item -LiteralPath $target -Recurse -ErrorAction Ignore
    $null = New-Item -ItemType Directory $target
    Copy-Item "$staging/*" $target -Recurse
    "BtrfsClone $version is in $target"
}

function Invoke-Clean {
    Remove-Item bin, out, src/*/bin, src/*/obj, tests/*/bin, tests/*/obj -Recurse -ErrorAction Ignore
}

foreach ($name in $Task) {
    & "Invoke-$name"
}
