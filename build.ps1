#!/usr/bin/env pwsh
#requires -Version 7.4
<#
.SYNOPSIS
    Builds, tests and ships BtrfsClone. Everything here is dotnet's or Pester's work.
.PARAMETER Task
    Build   fills bin/, so that Import-Module ./BtrfsClone.psd1 works. The default.
    Test    runs the tests of the engine and the program, then those of the cmdlets.
    Clean   removes what the other tasks made.
#>
param(
    [ValidateSet('Build', 'Test', 'Clean')]
    [string[]] $Task = 'Build'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
Set-Location $PSScriptRoot

function Invoke-Build {
    dotnet build
}

function Invoke-Test {
    dotnet test
    # In a process of its own: a session that has loaded the module keeps its old build.
    pwsh -NoProfile -File tests/Pester/run.ps1
}

function Invoke-Clean {
    git clean -xdf -- bin out src tests
}

foreach ($name in $Task) {
    & "Invoke-$name"
}
