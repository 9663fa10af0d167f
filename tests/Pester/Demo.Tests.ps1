BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $checkout = "$PSScriptRoot/../.."
    Import-Module "$checkout/BtrfsClone.psd1"
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

Describe 'build.ps1' -Skip:(-not [Environment]::IsPrivilegedProcess -or -not (Get-Command mkfs.btrfs -ErrorAction Ignore)) {
    It 'makes the files of the examples as the program does' {
        $folder = "$TestDrive/data"
        try {
            $null = & "$checkout/build.ps1" DemoData $folder
            "$folder/vm/disk.img" | Should -Exist
            { & "$checkout/build.ps1" DemoData $folder } | Should -Throw
        } finally {
            umount $folder "$folder-usb"
        }

        losetup --list --noheadings --output BACK-FILE | Where-Object { $_ -like "$TestDrive*" } | Should -BeNullOrEmpty
    }

    It 'draws a piece for each that filefrag sees' {
        $folder = New-ScratchFolder
        dd if=/dev/urandom of=$folder/one bs=8M count=1 iflag=fullblock conv=fsync status=none
        cp --reflink=always $folder/one $folder/two
        dd if=/dev/urandom of=$folder/two bs=1M count=1 seek=3 conv=notrunc,fsync status=none
        & "$checkout/docs/Write-ExtentPicture.ps1" "$folder/one", "$folder/two" "$folder/picture.svg"
        $pieces = @(Get-PhysicalRange $folder/one).Count + @(Get-PhysicalRange $folder/two).Count
        $picture = [xml] (Get-Content "$folder/picture.svg" -Raw)
        $picture.svg.polygon | Should -HaveCount $pieces
        # What is new in the clone has the length that dd wrote: a ninth of all extents together.
        $picture.svg.rect.width | Should -Contain '76.4'
    }
}
