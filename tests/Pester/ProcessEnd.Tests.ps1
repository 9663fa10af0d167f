BeforeDiscovery {
    # SIGINT and SIGQUIT are the host's: it stops pipelines, which other tests do.
    $ends = 'kill -TERM', 'kill -HUP', 'exit' | ForEach-Object {
        @{ End = $_; How = '-Atomic' }
        @{ End = $_; How = '-PointInTime' }
    }
}

BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $manifest = (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path

    # Runs a command in a process of its own and ends it as soon as $Begun says so. The process writes its own number: what
    # is called pwsh may start another one.
    function Stop-Session([string] $Command, [string] $End, [scriptblock] $Begun) {
        $state = New-ScratchFolder
        $start = [Diagnostics.ProcessStartInfo]::new('env')
        $exit = $End -eq 'exit' ? "`$null = Start-ThreadJob { while (-not (Test-Path '$state/end')) { Start-Sleep -Milliseconds 20 }; [Environment]::Exit(3) }" : ''
        # nohup would make it ignore SIGHUP.
        @('--default-signal=HUP', 'pwsh', '-NoProfile', '-NonInteractive', '-Command', @"
            Import-Module '$manifest'
            $exit
            Set-Content '$state/id' `$PID
            $Command
            Set-Content '$state/went-on' ''
            Start-Sleep 60
"@) | ForEach-Object { $start.ArgumentList.Add($_) }
        $process = [Diagnostics.Process]::Start($start)
        while (-not (& $Begun)) {
            $process.HasExited | Should -BeFalse
            Start-Sleep -Milliseconds 10
        }

        if ($End -eq 'exit') {
            Set-Content "$state/end" ''
        } else {
            sh -c "$End `$0" (Get-Content "$state/id")
        }

        $process.WaitForExit(120000) | Should -BeTrue
        $process.ExitCode | Should -Not -Be 0
        "$state/went-on" | Should -Not -Exist
    }
}

Describe 'A process that ends' -Skip:(-not (Test-Path /proc/self)) {
    BeforeAll {
        # Cloning it takes a good second, so that it is still under way when the process ends.
        $tree = Join-Path (New-ScratchFolder) tree
        $null = New-Item -ItemType Directory $tree
        Invoke-Tool sh -c 'cd "$0" && for d in $(seq 60); do mkdir $d && (cd $d && seq 500 | xargs touch); done' $tree
    }

    It 'leaves nothing of what is temporary after <End>, with <How>' -ForEach $ends {
        $isRoot = (id -u) -eq '0'
        if ($How -eq '-PointInTime' -and -not $isRoot) {
            Set-ItResult -Skipped -Because 'snapshots are removed by root'
        }

        $folder = New-ScratchFolder
        $source = $tree
        if ($How -eq '-PointInTime') {
            $source = "$folder/subvolume/tree"
            $null = Invoke-Tool btrfs subvolume create "$folder/subvolume"
            Invoke-Tool cp -a --reflink=always $tree $source
        }

        $place = (New-Item -ItemType Directory "$folder/place").FullName
        $pattern = $How -eq '-Atomic' ? '^\.btrfs-clone-atomic\.' : '^\.btrfs-clone-moment\.'
        Stop-Session "Copy-BtrfsItem '$source' '$place/clone' $How" $End {
            @([IO.Directory]::GetFileSystemEntries($place) | Split-Path -Leaf) -match $pattern
        }

        [IO.Directory]::GetFileSystemEntries($place, '.*') | Should -BeNullOrEmpty
        if ($How -eq '-Atomic') {
            "$place/clone" | Should -Not -Exist
        } else {
            # Nothing is left that would keep the subvolume's data.
            Invoke-Tool btrfs subvolume list -o $folder | Should -Not -Match 'btrfs-clone'
        }
    }

    It 'leaves nothing while a next command takes the results' {
        $folder = New-ScratchFolder
        $command = "Copy-BtrfsItem '$tree/1', '$tree/2' '$folder/place' -PointInTime -PassThru | ForEach-Object { Set-Content '$folder/taken' ''; Start-Sleep 100 }"
        Stop-Session $command 'kill -TERM' { Test-Path "$folder/taken" }
        [IO.Directory]::GetFileSystemEntries("$folder/place", '.*') | Should -BeNullOrEmpty
    }
}
