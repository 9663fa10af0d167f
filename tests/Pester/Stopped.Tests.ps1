BeforeDiscovery {
    # What stops each cmdlet in the middle: a next command that has enough, an error that ends the pipeline, and Ctrl-C.
    # $n is how many objects are taken before the stop. A cmdlet without a line here fails a test.
    $stops = @{
        'Compare-BtrfsItem' = @{
            First = { Compare-BtrfsItem tree other -Detailed | Select-Object -First $n }
            Error = { Compare-BtrfsItem memory/tree memory/other -Detailed -ErrorAction Stop }
            Long = { while ($true) { Compare-BtrfsItem tree other; Compare-BtrfsItem tree other -Detailed } }
        }
        'Copy-BtrfsItem' = @{
            First = { Get-ChildItem tree | Copy-BtrfsItem -Destination new -PassThru | Select-Object -First $n }
            Error = { Copy-BtrfsItem tree, missing, other new -ErrorAction Stop }
            Long = { while ($true) { Copy-BtrfsItem tree new; Remove-Item new -Recurse } }
        }
        'Copy-BtrfsItem, over a file that a directory has in its place,' = @{
            Error = { $null = New-Item -ItemType Directory new/1/3; Copy-BtrfsItem tree/1 new -ErrorAction Stop }
        }
        'Copy-BtrfsItem -Atomic' = @{
            First = { Get-ChildItem tree | Copy-BtrfsItem -Destination new -Atomic -PassThru | Select-Object -First $n }
            Error = { Copy-BtrfsItem tree, missing, other new -Atomic -ErrorAction Stop }
            Long = { while ($true) { Copy-BtrfsItem tree new -Atomic; Remove-Item new -Recurse } }
        }
        'Copy-BtrfsItem -PointInTime' = @{
            First = { Get-ChildItem tree | Copy-BtrfsItem -Destination new -PointInTime -PassThru | Select-Object -First $n }
            Error = { Copy-BtrfsItem tree, missing, other new -PointInTime -ErrorAction Stop }
            Long = { while ($true) { Copy-BtrfsItem tree new -PointInTime; Remove-Item new -Recurse } }
        }
        'Copy-BtrfsRange' = @{
            First = { Get-BtrfsExtent extents | Copy-BtrfsRange -Destination new -PassThru | Select-Object -First $n }
            Error = { 'extents', 'missing', 'extents' | Copy-BtrfsRange -Destination new -ErrorAction Stop }
            Long = { while ($true) { Get-BtrfsExtent extents | Copy-BtrfsRange -Destination new } }
        }
        'Export-BtrfsItem' = @{
            First = { Export-BtrfsItem tree, other new -PassThru | Select-Object -First $n }
            Error = { Export-BtrfsItem tree, missing, other new -ErrorAction Stop }
            Long = { while ($true) { Export-BtrfsItem tree, other new } }
        }
        'Export-BtrfsReport' = @{
            First = { Export-BtrfsReport tree, other new -Force -PassThru | Select-Object -First $n }
            Error = { 'tree', 'missing', 'other' | Export-BtrfsReport -FilePath new -ErrorAction Stop }
            Long = { while ($true) { Export-BtrfsReport tree, other new -Force } }
        }
        'Find-BtrfsDuplicate' = @{
            First = { Find-BtrfsDuplicate tree, copy | Select-Object -First $n }
            Error = { Find-BtrfsDuplicate tree, missing, copy -ErrorAction Stop }
            Long = { while ($true) { Find-BtrfsDuplicate tree, copy } }
        }
        'Find-BtrfsDuplicate -Source Content' = @{
            First = { Find-BtrfsDuplicate tree, copy -Source Content | Select-Object -First $n }
            Error = { Find-BtrfsDuplicate tree, memory/tree, copy -Source Content -ErrorAction Stop }
            Long = { while ($true) { Find-BtrfsDuplicate tree, copy -Source Content } }
        }
        'Find-BtrfsDuplicate -FileOnly' = @{
            First = { Find-BtrfsDuplicate tree, copy -FileOnly | Select-Object -First $n }
            Error = { Find-BtrfsDuplicate tree, missing, copy -FileOnly -ErrorAction Stop }
            Long = { while ($true) { Find-BtrfsDuplicate tree, copy -FileOnly } }
        }
        'Find-BtrfsDuplicate -FileOnly -Source Content' = @{
            First = { Find-BtrfsDuplicate tree, copy -FileOnly -Source Content | Select-Object -First $n }
            Error = { Find-BtrfsDuplicate tree, memory/tree, copy -FileOnly -Source Content -ErrorAction Stop }
            Long = { while ($true) { Find-BtrfsDuplicate tree, copy -FileOnly -Source Content } }
        }
        'Get-BtrfsExtent' = @{
            First = { Get-BtrfsExtent extents, extents | Select-Object -First $n }
            Error = { Get-BtrfsExtent extents, missing, extents -ErrorAction Stop }
            Long = { while ($true) { Get-BtrfsExtent extents } }
        }
        'Get-BtrfsExtent -Recurse' = @{
            First = { Get-BtrfsExtent tree, other -Recurse | Select-Object -First $n }
            Error = { Get-BtrfsExtent tree, missing, other -Recurse -ErrorAction Stop }
            Long = { while ($true) { Get-BtrfsExtent tree, other -Recurse } }
        }
        'Get-BtrfsExtentOwner' = @{
            First = { Get-BtrfsExtentOwner extents | Select-Object -First $n }
            Error = { Get-BtrfsExtentOwner extents, missing, extents -ErrorAction Stop }
            Long = { while ($true) { Get-BtrfsExtentOwner extents } }
        }
        'Measure-BtrfsItem' = @{
            First = { Measure-BtrfsItem tree/*, tree, extents | Select-Object -First $n }
            Error = { Measure-BtrfsItem tree, memory/tree, other -ErrorAction Stop }
            Long = { while ($true) { Measure-BtrfsItem tree } }
        }
        'Measure-BtrfsItem -Reclaimable' = @{
            First = { Measure-BtrfsItem tree/*, tree, extents -Reclaimable | Select-Object -First $n }
            Error = { Measure-BtrfsItem tree, missing, other -Reclaimable -ErrorAction Stop }
            Long = { while ($true) { Measure-BtrfsItem tree -Reclaimable } }
        }
        'Merge-BtrfsItem' = @{
            First = { Merge-BtrfsItem tree other | Select-Object -First $n }
            Error = { Merge-BtrfsItem tree not-cow -ErrorAction Stop }
            Long = { while ($true) { Merge-BtrfsItem tree other } }
        }
        'Merge-BtrfsItem -Duplicate' = @{
            First = { cp -r --reflink=never tree new; Find-BtrfsDuplicate tree, new | Merge-BtrfsItem | Select-Object -First $n; Remove-Item new -Recurse }
            Error = { Find-BtrfsDuplicate tree, copy -FileOnly | ForEach-Object { $_.Places[0].Path = 'missing'; $_ } | Merge-BtrfsItem -ErrorAction Stop }
            Long = { while ($true) { cp -r --reflink=never tree new; Find-BtrfsDuplicate tree, new | Merge-BtrfsItem; Remove-Item new -Recurse } }
        }
        'Optimize-BtrfsItem' = @{
            First = { Optimize-BtrfsItem tree/*, tree, extents | Select-Object -First $n }
            Error = { Optimize-BtrfsItem tree, missing, other -ErrorAction Stop }
            Long = { while ($true) { cp --reflink=never extents new; sync -f new; fallocate --punch-hole --offset 0 --length 4096 new; Optimize-BtrfsItem new -MinimumGain 1; Remove-Item new } }
        }
        'Show-BtrfsExtentMap' = @{
            First = { Get-BtrfsExtent extents, extents | Show-BtrfsExtentMap | Select-Object -First $n }
            Error = { & { Get-BtrfsExtent extents; 'no extent' } | Show-BtrfsExtentMap -ErrorAction Stop }
            Long = { while ($true) { Get-BtrfsExtent extents | Show-BtrfsExtentMap } }
        }
        'Sync-BtrfsItem' = @{
            First = { Sync-BtrfsItem tree new -Detailed | Select-Object -First $n }
            Error = { Sync-BtrfsItem memory/tree new -ErrorAction Stop }
            Long = { while ($true) { Sync-BtrfsItem tree new; Remove-Item new -Recurse } }
        }
        'Test-BtrfsClone' = @{
            First = { 'other', 'tree' | Test-BtrfsClone tree | Select-Object -First $n }
            Error = { 'other', 'missing', 'tree' | Test-BtrfsClone tree -ErrorAction Stop }
            Long = { while ($true) { Test-BtrfsClone tree other } }
        }
        'Wait-BtrfsDelalloc' = @{
            First = { Set-Content tree/1/new 'x'; Wait-BtrfsDelalloc tree/*, tree, extents -PassThru | Select-Object -First $n }
            Error = { Set-Content tree/1/new 'x'; Wait-BtrfsDelalloc tree, missing, other -ErrorAction Stop }
            Long = { while ($true) { Set-Content tree/1/new 'x'; Wait-BtrfsDelalloc tree } }
        }
    }
    $cases = foreach ($stop in $stops.GetEnumerator()) {
        foreach ($how in $stop.Value.Keys) {
            @{ Name = $stop.Name; How = $how; Script = [string] $stop.Value[$how] }
        }
    }
    $cmdlets = (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport |
        ForEach-Object { @{ Cmdlet = $_; Stops = @($stops.ContainsKey($_) ? $stops[$_].Keys : @()) } }
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # What the process holds open below a folder, and which threads of the engine it has.
    function Get-Held([string] $Folder) {
        [IO.Directory]::GetFileSystemEntries('/proc/self/fd') | ForEach-Object { [IO.FileInfo]::new($_).LinkTarget } |
            Where-Object { $_ -and $_.StartsWith($Folder) }
        [IO.Directory]::GetDirectories('/proc/self/task') |
            Where-Object { (Get-Content -LiteralPath "$_/comm" -ErrorAction Ignore) -eq 'btrfs-clone' }
    }

    # Threads that nobody waits for end when the kernel's call that they are in comes back.
    function Wait-Nothing([string] $Folder) {
        for ($i = 0; $i -lt 100 -and ($held = @(Get-Held $Folder)); $i++) {
            Start-Sleep -Milliseconds 200
        }

        $held
    }
}

Describe 'A stop in the middle of' {
    BeforeAll {
        $folder = New-ScratchFolder
        Push-Location $folder
        $memory = Join-Path /dev/shm "btrfs-clone-pester-$([IO.Path]::GetRandomFileName())"
        $null = New-Item -ItemType Directory $memory
        Invoke-Tool ln -s $memory memory
        Invoke-Tool bash -c @'
            set -e
            for i in 1 2 3 4; do
                mkdir -p tree/$i/below/deep other/$i/only-here/deep
                for j in 1 2 3 4 5 6; do
                    for file in tree/$i/$j tree/$i/below/$j tree/$i/below/deep/$j; do
                        head -c 5000 /dev/urandom > $file
                    done
                    echo x > other/$i/only-here/deep/$j
                done
            done
            cp -a --reflink=always tree/. other
            rm -r other/1/below other/2/1
            mkdir other/2/1
            for i in 1 2 3 4; do echo x > tree/$i/not-there; done
            mkdir -p not-cow/1
            chattr +C not-cow/1
            cp tree/1/[1-6] not-cow/1
            cp -r tree other memory
            cp -r --reflink=never tree copy
            for i in $(seq 0 2 200); do dd if=/dev/urandom of=extents bs=4096 count=1 seek=$i conv=notrunc status=none; done
            sync -f .
'@
        $before = @(Get-ChildItem -Recurse -Force).FullName
    }

    AfterAll {
        Pop-Location
        Remove-Item -Recurse -Force $memory
    }

    AfterEach {
        Remove-Item -Recurse -Force new -ErrorAction Ignore
        @(Get-ChildItem -Recurse -Force).FullName | Where-Object { $_ -notin $before -and $_ -notlike '*/tree/1/new' } |
            Should -BeNullOrEmpty -Because 'temporary things are removed'
    }

    It '<Name> leaves no descriptor and no thread (<How>)' -ForEach $cases {
        $work = [scriptblock]::Create($Script)
        $times = $How -eq 'Long' ? 3 : 12
        for ($n = 1; $n -le $times; $n++) {
            if ($How -eq 'First') {
                $null = . $work
            } elseif ($How -eq 'Error') {
                { . $work } | Should -Throw
            } else {
                $shell = [powershell]::Create()
                $null = $shell.AddScript("Import-Module '$((Get-Module BtrfsClone).Path)'; Set-Location '$folder'; $Script")
                $running = $shell.BeginInvoke()
                Start-Sleep -Milliseconds (Get-Random -Minimum 100 -Maximum 500)
                $running.IsCompleted | Should -BeFalse -Because $shell.Streams.Error.ReadAll()
                $shell.Stop()
                $shell.InvocationStateInfo.State | Should -Be 'Stopped'
                $shell.Dispose()
            }

            if ($Name -match '^(Copy|Sync)-') {
                Remove-Item -Recurse -Force new -ErrorAction Ignore
            }

            if ($n -eq 1) {
                # What the first time needs, assemblies above all, stays open.
                $descriptors = [IO.Directory]::GetFileSystemEntries('/proc/self/fd').Count
            }
        }

        Wait-Nothing $folder | Should -BeNullOrEmpty
        Wait-Nothing $memory | Should -BeNullOrEmpty
        if ($How -ne 'Long') {
            [IO.Directory]::GetFileSystemEntries('/proc/self/fd').Count | Should -BeLessOrEqual ($descriptors + 4)
        }
    }

}

Describe 'A stop' {
    It 'of <Cmdlet> is tried in each way' -ForEach $cmdlets {
        $Stops | Sort-Object | Should -Be 'Error', 'First', 'Long'
    }
}
