BeforeAll {
    $checkout = "$PSScriptRoot/../.."
}

Describe 'demo.ps1' -Skip:(-not [Environment]::IsPrivilegedProcess -or -not (Get-Command mkfs.btrfs -ErrorAction Ignore)) {
    BeforeAll {
        $folder = (New-Item -ItemType Directory "$TestDrive/temporary").FullName
        $output = env "TMPDIR=$folder" pwsh -NoProfile -File "$checkout/demo.ps1" -NoBuild *>&1 | Out-String
        $exitCode = $LASTEXITCODE
    }

    It 'clones by the pipeline, draws, compares and measures' {
        $exitCode | Should -Be 0 -Because $output
        # 4 MiB of 64 are written anew, in the middle.
        $output | Should -Match 'vm-test/disk.img: 64 MiB, 3 extents'
        $output | Should -Match 'exclusive 4 MiB \(6\.3 %\).*shared 60 MiB \(93\.8 %\)'
        $output | Should -Match '\b4 MiB +0?\.9375 +False\b.* vm-test'
    }

    It 'leaves nothing behind' {
        Get-ChildItem $folder | Should -BeNullOrEmpty
        losetup --list --noheadings --output BACK-FILE | Where-Object { $_ -like "$folder*" } | Should -BeNullOrEmpty
        Get-Content /proc/self/mounts | Where-Object { $_ -like "*$folder*" } | Should -BeNullOrEmpty
    }
}

Describe 'The PowerShell of the tool manifest' {
    It 'is the one that the tests bring along' {
        $tools = Get-Content "$checkout/.config/dotnet-tools.json" -Raw | ConvertFrom-Json
        $tests = [xml](Get-Content "$checkout/tests/Directory.Build.props" -Raw)
        $tools.tools.powershell.version | Should -Be ($tests.Project.PropertyGroup.PowerShellVersion.'#text')
    }
}
