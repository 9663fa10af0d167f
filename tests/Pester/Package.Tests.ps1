BeforeDiscovery {
    $dotnet = Get-Command dotnet -CommandType Application -ErrorAction Ignore
    $lintian = Get-Command lintian -CommandType Application -ErrorAction Ignore
    $linker = (Get-Command clang, gcc -CommandType Application -ErrorAction Ignore) -and (Test-Path /usr/include/zlib.h)
    $machines = @(
        @{ Machine = 'x86_64'; Architecture = 'amd64'; Format = 'elf64-x86-64' }
        @{ Machine = 'aarch64'; Architecture = 'arm64'; Format = 'elf64-littleaarch64' }
    ) | Where-Object { $_.Machine -eq (uname -m) -or ($_.Machine -eq 'aarch64' -and (Test-Path /usr/aarch64-linux-gnu/include/stdio.h)) }
}

BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
    $version = (Import-PowerShellDataFile "$checkout/BtrfsClone.psd1").ModuleVersion

    # Imports the module in a new pwsh and clones with it.
    function Test-Module {
        param([string] $Module)

        $folder = New-ScratchFolder
        Set-Content "$folder/source" 'content'
        $output = pwsh -NoProfile -NonInteractive -Command "Set-StrictMode -Version Latest; `$ErrorActionPreference = 'Stop'; Import-Module '$Module'; Copy-BtrfsItem '$folder/source' '$folder/clone' -PassThru | Format-Table | Out-Null; (Get-Module BtrfsClone).ModuleBase"
        Get-Content "$folder/clone" | Should -Be 'content'
        $output
    }
}

Describe 'build.ps1' -Skip:(-not $dotnet) {
    BeforeAll {
        $null = & "$checkout/build.ps1" Pack
    }

    It 'packs the module, and nothing but the module, for the gallery and as a zip' {
        $expected = (Import-PowerShellDataFile "$checkout/BtrfsClone.psd1").FileList
        foreach ($archive in "BtrfsClone.$version.nupkg", "BtrfsClone-$version.zip") {
            $folder = New-ScratchFolder
            [IO.Compression.ZipFile]::ExtractToDirectory("$checkout/out/$archive", $folder)
            if (Test-Path "$folder/BtrfsClone") {
                $folder = "$folder/BtrfsClone"
            }

            $files = Invoke-Tool find $folder -type f -printf '%P\n'
            # What every package of this kind has.
            $files = $files | Where-Object { $_ -notmatch '^(_rels|package)/|^\[Content_Types|\.nuspec$' }
            $files | Sort-Object -CaseSensitive | Should -Be ($expected | Sort-Object -CaseSensitive)
            Test-Module "$folder/BtrfsClone.psd1" | Should -Be $folder
        }
    }

    It 'makes a release with the same bytes of two builds, with notes, a bill of materials and checksums' {
        $sums = foreach ($run in 1, 2) {
            $null = & "$checkout/build.ps1" Pack
            $null = New-Item -ItemType Directory -Force "$checkout/out/symbols"
            Copy-Item "$checkout/src/*/bin/Portable/*.pdb" "$checkout/out/symbols"
            $null = & "$checkout/packaging/Release.ps1" -Checkout $checkout -Epoch 1700000000
            Invoke-Tool sh -c 'cd "$0" && sha256sum --check --quiet SHA256SUMS' "$checkout/out/release"
            # What the program is packed in is of an earlier build.
            (Get-Content "$checkout/out/release/SHA256SUMS") -notmatch 'btrfs-clone' -join "`n"
        }
        $sums[1] | Should -Be $sums[0]
        $sums[0] | Should -Match "BtrfsClone\.$version\.nupkg\n"
        Get-Content "$checkout/out/release/RELEASE-NOTES.md" | Should -Contain (Get-Content "$checkout/CHANGELOG.md" | Where-Object { $_ -like '- *' })[0]
        $bill = Get-Content "$checkout/out/release/BtrfsClone-$version.cdx.json" -Raw | ConvertFrom-Json
        $packages = Select-String -Path "$checkout/src/*/*.csproj" 'PackageReference Include="([^"]+)"' | Where-Object Line -NotLike '*PrivateAssets*'
        $packages | ForEach-Object { $_.Matches[0].Groups[1].Value } | Should -BeIn $bill.components.name
        (Get-Item "$checkout/out/release/BtrfsClone.$version.nupkg").Length | Should -BeLessThan 1.5MB
    }

    It 'packs what Install-PSResource installs from a folder of packages' {
        $packages = New-ScratchFolder
        Copy-Item "$checkout/out/BtrfsClone.$version.nupkg" $packages
        $userHome = $env:HOME
        $env:HOME = New-ScratchFolder
        try {
            pwsh -NoProfile -NonInteractive -Command "Register-PSResourceRepository packages -Uri '$packages' -Trusted; Install-PSResource BtrfsClone -Repository packages"
            Test-Module BtrfsClone | Should -Be "$env:HOME/.local/share/powershell/Modules/BtrfsClone/$version"
        } finally {
            $env:HOME = $userHome
        }
    }

    Context 'for Debian' -Skip:(-not ($linker -and $lintian)) {
        BeforeAll {
            $null = & "$checkout/build.ps1" Deb
        }

        It 'packs the program of <Machine> as lintian likes it' -ForEach $machines {
            $package = Get-Item "$checkout/out/btrfs-clone_$($version)_$Architecture.deb"
            $complaints = lintian $package 2>&1 | Where-Object { "$_" -notlike '*root privileges*' }
            $complaints | Should -BeNullOrEmpty
            $files = (Invoke-Tool dpkg-deb -c $package) -replace '.* \./' | Where-Object { $_ -and $_ -notlike '*/' }
            $files | Sort-Object -CaseSensitive | Should -Be (@(
                'usr/bin/btrfs-clone'
                'usr/share/bash-completion/completions/btrfs-clone'
                'usr/share/doc/btrfs-clone/changelog.gz'
                'usr/share/doc/btrfs-clone/copyright'
                'usr/share/fish/vendor_completions.d/btrfs-clone.fish'
                'usr/share/man/man1/btrfs-clone.1.gz'
                'usr/share/zsh/vendor-completions/_btrfs-clone'
            ) | Sort-Object -CaseSensitive)
            $program = "$checkout/out/deb/$Machine/usr/bin/btrfs-clone"
            # Of that kind, and in need of what the package asks for, and of no newer C library.
            $text = Invoke-Tool "$Machine-linux-gnu-objdump" --private-headers $program
            $text -match ' file format ' | Should -BeLike "* $Format"
            $needed = ($text -match ' NEEDED ') -replace '.* ' -replace '^libz\..*', 'zlib1g' -replace '^(libc|libm|ld-linux-.*)\.so\..*', 'libc6'
            $depends = (Invoke-Tool dpkg-deb --field $package Depends) -split ', '
            $depends -replace ' .*' | Should -Be @($needed | Sort-Object -Unique)
            $versions = ($text -match ' GLIBC_[\d.]+$') -replace '.*_' | ForEach-Object { [version] $_ } | Sort-Object
            $depends[0] | Should -Be "libc6 (>= $($versions[-1]))"
        }
    }

    It 'installs the module for the user, over an older one' {
        $env:XDG_DATA_HOME = New-ScratchFolder
        try {
            $target = "$env:XDG_DATA_HOME/powershell/Modules/BtrfsClone/$version"
            $null = New-Item -ItemType File -Force "$target/bin/stale.dll"
            $null = & "$checkout/build.ps1" Install
            Test-Module BtrfsClone | Should -Be $target
            Test-Path "$target/bin/stale.dll" | Should -BeFalse
            if ((Test-Path "$checkout/bin/btrfs-clone") -and -not (Test-Path "$checkout/bin/btrfs-clone.dll")) {
                $local = Split-Path $env:XDG_DATA_HOME
                & "$local/bin/btrfs-clone" --version | Should -Match "^$([regex]::Escape($version))"
                Invoke-Tool sh -c 'zcat "$0"' "$local/share/man/man1/btrfs-clone.1.gz" | Select-Object -First 1 | Should -BeLike '.TH *'
            }
        } finally {
            $env:XDG_DATA_HOME = $null
        }
    }
}

Describe 'dotnet publish' -Skip:(-not $dotnet) {
    It 'makes the program <Form>, and leaves what is built for the module alone' -ForEach @(
        @{ Form = 'a folder'; Options = @('-p:PublishAot=false'); Files = 'BtrfsClone.dll', 'System.CommandLine.dll', 'System.IO.Hashing.dll', 'btrfs-clone', 'btrfs-clone.dll' }
        @{ Form = 'one native file'; Options = @(); Files = 'btrfs-clone' }
    ) {
        $linker = Get-Command clang, gcc -CommandType Application -ErrorAction Ignore
        if (-not $Options -and -not ($linker -and (Test-Path /usr/include/zlib.h))) {
            Set-ItResult -Skipped -Because 'there is no linker, or no zlib to link with'
        }

        $built = Get-ChildItem "$checkout/bin" | Get-FileHash
        $folder = New-ScratchFolder
        Invoke-Tool dotnet publish "$checkout/src/BtrfsClone.Cli" --output "$folder/program" @Options
        # Beside symbols, and what tells a runtime of it.
        Get-ChildItem "$folder/program" -Exclude *.pdb, *.dbg, *.xml, *.json | ForEach-Object Name | Sort-Object -CaseSensitive |
            Should -Be ($Files | Sort-Object -CaseSensitive)
        Set-Content "$folder/source" 'content'
        Invoke-Tool "$folder/program/btrfs-clone" copy "$folder/source" "$folder/clone"
        Get-PhysicalRange "$folder/clone" | Should -Be (Get-PhysicalRange "$folder/source")
        Get-Content "$folder/clone" | Should -Be 'content'
        (Get-ChildItem "$checkout/bin" | Get-FileHash).Hash | Should -Be $built.Hash
    }
}
