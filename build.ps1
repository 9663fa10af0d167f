#!/usr/bin/env pwsh
#requires -Version 7.6
<#
.SYNOPSIS
    Builds, tests and ships BtrfsClone. All of it is dotnet's and Pester's work.
.PARAMETER Task
    Build    fills bin/, so that Import-Module ./BtrfsClone.psd1 works. The default.
    Help     makes what Get-Help shows from the pages in docs/help.
    Site     makes the pages of docs/ and of the engine's types a website below out/site. A link that leads nowhere is an error.
    Test     runs the tests of the engine and the program, then those of the cmdlets, as dotnet test does.
    Graph    prints which folders of the engine know which, and every cycle; with --files also which files do.
    Bench    runs the program and the cmdlets against their peers, as root.
    Pack     makes the module as a folder, as a package for the PowerShell Gallery and as a zip, below out/.
    Install  puts the module into the current user's module path, and the program, if it is built as one native file, with its
             manual page and completions where the user's shells find them.
    Deb      makes a Debian package of the program below out/, with its manual page and completions; on x64 also one for arm64 if
             gcc-aarch64-linux-gnu is installed.
    DemoData makes a small btrfs on /data, or on the folder that follows, as root, with the files that the examples use, as
             btrfs-clone demo --keep DIR does.
    Picture  draws docs/extents.svg from a file and its clone on a scratch btrfs, as root.
    Release  makes all that is published of a version below out/release: module, program and Debian package as Deb makes them,
             symbols, bill of materials, notes and checksums. Two runs on one commit give the same bytes.
    Clean    removes what the other tasks made in this folder.
.PARAMETER Option
    The options of the bench or of the graph: ./build.ps1 Bench --scenario 'a,b' --runs 3. With --help it lists them.
#>
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Help', 'Site', 'Test', 'Graph', 'Bench', 'Pack', 'Install', 'Deb', 'DemoData', 'Picture', 'Release', 'Clean')]
    [string[]] $Task = 'Build',

    [Parameter(ValueFromRemainingArguments)]
    [string[]] $Option = @()
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

function Invoke-Site {
    dotnet build src/BtrfsClone.PowerShell
    Remove-Item out/api, out/site -Recurse -ErrorAction Ignore
    # Where its version stands.
    Push-Location docs
    try {
        dotnet tool restore
        dotnet docfx ../docfx.json --warningsAsErrors
    } finally {
        Pop-Location
    }
}

function Invoke-Test {
    dotnet test
}

function Invoke-Graph {
    dotnet run --project tests/Architecture -- @Option
}

function Invoke-Bench {
    dotnet run -c Release --project tests/Benchmarks -- @Option
}

# The module alone, without the program and the symbols, and for every machine. Compiled ahead of time it is imported no
# sooner (about 50 ms of processor time over an empty session either way), and the first clone is there 10 ms sooner: not
# worth assemblies three times as large that serve one architecture and one version of .NET.
function Copy-Module {
    Remove-Item -LiteralPath $staging -Recurse -ErrorAction Ignore
    dotnet build src/BtrfsClone.PowerShell -p:Precompile=false -p:ProductFolder=$staging/bin/
    Remove-Item $staging/bin/* -Exclude BtrfsClone.dll, BtrfsClone.PowerShell.dll, System.IO.Hashing.dll
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
        "project=$($manifest.PrivateData.PSData.ProjectUri)"
        "icon=$($manifest.PrivateData.PSData.IconUri)"
        "notes=$($manifest.PrivateData.PSData.ReleaseNotes)"
    ) -join ';'
    # NU5100: the package holds a module, whose assemblies are not for a project's lib folder. NU5048: the gallery shows icons by address.
    dotnet pack src/BtrfsClone.PowerShell --no-build --output out "-p:NoWarn=`"NU5100;NU5048`"" "-p:NuspecFile=BtrfsClone.nuspec" "-p:NuspecBasePath=$staging" "-p:NuspecProperties=`"$values`""
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
    # A managed program would need what is beside it.
    if ((Test-Path bin/btrfs-clone) -and -not (Test-Path bin/btrfs-clone.dll)) {
        $local = Split-Path ([Environment]::GetFolderPath('LocalApplicationData'))
        Copy-Program $local share/zsh/site-functions share/fish/vendor_completions.d
        "btrfs-clone $version is in $local/bin"
    } else {
        'The program is not installed, since it is not built as one file. With clang or gcc, and zlib1g-dev, this takes a minute:'
        'dotnet build src/BtrfsClone.Cli -p:PublishAot=true'
    }
}

function Test-Linker([string[]] $Name = @('clang', 'gcc'), [string] $Header = '/usr/include/zlib.h') {
    (Get-Command $Name -CommandType Application -ErrorAction Ignore) -and (Test-Path $Header)
}

# The program as one native file, and what tells of it, below a prefix such as /usr. The program of this machine writes the manual
# page and the completions of the program for another one.
function Copy-Program([string] $Prefix, [string] $Zsh, [string] $Fish, [string] $Native = 'bin/btrfs-clone', $ObjCopy = 'objcopy') {
    $bash = 'share/bash-completion/completions'
    foreach ($folder in 'bin', 'share/man/man1', $bash, $Zsh, $Fish) {
        $null = New-Item -ItemType Directory -Force "$Prefix/$folder"
    }

    $program = "$PSScriptRoot/bin/btrfs-clone"
    Copy-Item $Native "$Prefix/bin" -Force

    # It leads to symbols that are not there, and hashes the paths of the machine that has built them.
    & $ObjCopy --remove-section=.gnu_debuglink "$Prefix/bin/btrfs-clone"
    & $program manual | gzip -9n > "$Prefix/share/man/man1/btrfs-clone.1.gz"
    & $program completion bash > "$Prefix/$bash/btrfs-clone"
    & $program completion zsh > "$Prefix/$Zsh/_btrfs-clone"
    & $program completion fish > "$Prefix/$Fish/btrfs-clone.fish"
}

function Invoke-Deb {
    if (-not (Test-Linker)) {
        throw 'The package holds the program as one native file: install clang or gcc, and zlib1g-dev.'
    }

    Remove-Item out/deb, out/*.deb, out/linux-arm64 -Recurse -ErrorAction Ignore
    dotnet build src/BtrfsClone.Cli -p:PublishAot=true
    $architecture = dpkg --print-architecture
    Write-DebianPackage (uname -m) $architecture bin/btrfs-clone objcopy
    if ($architecture -eq 'arm64') {
        return
    }

    if (Test-Linker aarch64-linux-gnu-gcc /usr/aarch64-linux-gnu/include/stdio.h) {
        dotnet publish src/BtrfsClone.Cli -p:PublishAot=true --runtime linux-arm64 --output out/linux-arm64
        Write-DebianPackage aarch64 arm64 out/linux-arm64/btrfs-clone aarch64-linux-gnu-objcopy
    } else {
        'Not built for arm64: install gcc-aarch64-linux-gnu and libc6-dev-arm64-cross.'
    }
}

function Write-DebianPackage([string] $Machine, [string] $Architecture, [string] $Native, [string] $ObjCopy) {
    $version = (Import-PowerShellDataFile BtrfsClone.psd1).ModuleVersion
    $root = "$PSScriptRoot/out/deb/$Machine"
    Copy-Program $root/usr share/zsh/vendor-completions share/fish/vendor_completions.d $Native $ObjCopy
    $documents = New-Item -ItemType Directory "$root/usr/share/doc/btrfs-clone"
    $null = New-Item -ItemType Directory "$root/DEBIAN"
    Get-Content docs/debian/copyright > "$documents/copyright"
    $date = date --utc --rfc-email ($env:SOURCE_DATE_EPOCH ? "--date=@$env:SOURCE_DATE_EPOCH" : '--date=now')
    (Get-Content docs/debian/changelog -Raw).Replace('VERSION', $version).Replace('DATE', $date) | gzip -9n > "$documents/changelog.gz"
    # The oldest C library that has all functions that the program calls. It depends on the C library that the linker has used.
    $library = [regex]::Matches((readelf --version-info $Native), '(?<=GLIBC_)[\d.]+').Value | Sort-Object { [version] $_ } -Bottom 1
    $depends = "libc6 (>= $library)" + ((readelf --dynamic $Native) -match 'libz\.so' ? ', zlib1g' : '')
    (Get-Content docs/debian/control -Raw).Replace('VERSION', $version).Replace('ARCHITECTURE', $Architecture).Replace('DEPENDS', $depends) |
        Set-Content "$root/DEBIAN/control" -NoNewline
    chmod -R u=rwX,go=rX $root
    dpkg-deb --build --root-owner-group $root "out/btrfs-clone_${version}_$Architecture.deb"
}

function Invoke-DemoData {
    Invoke-Demo ($Option ? $Option[0] : '/data')
}

function Invoke-Demo([string] $Folder) {
    if (-not (Test-Path bin/btrfs-clone)) {
        dotnet build src/BtrfsClone.Cli --verbosity quiet -p:PublishAot=false -p:RunAnalyzers=false
    }

    bin/btrfs-clone demo --keep $Folder
}

function Invoke-Picture {
    $mount = Join-Path ([IO.Path]::GetTempPath()) "btrfs-clone-picture-$PID"
    $null = Invoke-Demo $mount
    try {
        Import-Module "$PSScriptRoot/BtrfsClone.psd1"
        dd if=/dev/urandom of=$mount/disk.img bs=64M count=1 iflag=fullblock conv=fsync status=none
        Copy-BtrfsItem $mount/disk.img $mount/test.img
        dd if=/dev/urandom of=$mount/test.img bs=8M count=1 seek=3 iflag=fullblock conv=notrunc,fsync status=none
        & "$PSScriptRoot/docs/Write-ExtentPicture.ps1" "$mount/disk.img", "$mount/test.img" "$PSScriptRoot/docs/extents.svg"
    } finally {
        umount $mount "$mount-usb"
        Remove-Item -LiteralPath $mount, "$mount-usb"
    }
}

# The commit's time stands for that of the run, and no path of the checkout gets into a file.
function Invoke-Release {
    $epoch = $env:SOURCE_DATE_EPOCH ? [long] $env:SOURCE_DATE_EPOCH : [long] (git log -1 --format=%ct)
    $env:SOURCE_DATE_EPOCH = $epoch
    $env:ContinuousIntegrationBuild = 'true'
    Remove-Item out/symbols, out/deb, out/*.deb, src/*/bin, src/*/obj -Recurse -ErrorAction Ignore
    Invoke-Pack
    $null = New-Item -ItemType Directory out/symbols
    Copy-Item src/*/bin/Portable/*.pdb out/symbols
    if (Test-Linker) {
        Invoke-Deb
    }

    & "$PSScriptRoot/packaging/Release.ps1" -Checkout $PSScriptRoot -Epoch $epoch
}

function Invoke-Clean {
    Remove-Item bin, out, src/*/bin, src/*/obj, tests/*/bin, tests/*/obj -Recurse -ErrorAction Ignore
}

foreach ($name in $Task) {
    & "Invoke-$name"
}
