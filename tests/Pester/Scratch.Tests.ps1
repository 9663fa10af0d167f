BeforeDiscovery {
    $root = (id -u) -eq '0'
}

Describe 'The scratch filesystem' -Skip:(-not $root) {
    BeforeAll {
        $temporary = $env:TMPDIR
        $folderVariable = $env:BTRFSCLONE_TEST_DIR
        $env:TMPDIR = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "scratch-$PID")).FullName
        $env:BTRFSCLONE_TEST_DIR = $null
        $module = "$PSScriptRoot/Scratch.psm1"
    }

    AfterAll {
        Remove-Item -LiteralPath $env:TMPDIR -Recurse
        $env:TMPDIR = $temporary
        $env:BTRFSCLONE_TEST_DIR = $folderVariable
    }

    It 'of a run that was killed is removed by the next, and no other' {
        # The folder of a run that goes on, and that of one that kills itself.
        $live = [Diagnostics.ProcessStartInfo]::new('pwsh', [string[]] @('-NoProfile', '-NonInteractive', '-Command', "Import-Module '$module'; New-ScratchFolder; `$null = [Console]::In.ReadLine()"))
        $live.RedirectStandardInput = $live.RedirectStandardOutput = $true
        $live = [Diagnostics.Process]::Start($live)
        $liveFolder = $live.StandardOutput.ReadLine()
        try {
            $killed = pwsh -NoProfile -NonInteractive -Command "Import-Module '$module'; New-ScratchFolder; sh -c `"kill -KILL `$PID`""
            Test-Path $killed | Should -BeTrue
            { [IO.Directory]::Delete((Split-Path $killed)) } | Should -Throw

            pwsh -NoProfile -NonInteractive -Command "Import-Module '$module'; `$null = New-ScratchFolder"

            Get-ChildItem $env:TMPDIR -Filter 'btrfs-clone-pester-*' | ForEach-Object { $_.FullName -replace '\.lock$' } | Sort-Object -Unique |
                Should -Be (Split-Path $liveFolder)
            Test-Path $liveFolder | Should -BeTrue
            losetup --list --output BACK-FILE | Should -Not -Contain "$(Split-Path $killed).img (deleted)"
        } finally {
            $live.StandardInput.WriteLine()
            $live.WaitForExit()
        }

        Get-ChildItem $env:TMPDIR -Filter 'btrfs-clone-pester-*' | Should -BeNullOrEmpty
    }
}
