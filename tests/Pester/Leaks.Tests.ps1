BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'A session' {
    BeforeAll {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory "$folder/tree/sub", "$folder/into/tree"
        Set-Content "$folder/tree/file" 'content'
        Set-Content "$folder/old" 'old'
        $clones = if ($env:BTRFSCLONE_LONG_TESTS -eq '1') { 10000 } else { 600 }

        # Each fails in another place: before anything is opened, between two opened directories, after a clone has
        # been made and has to be removed again.
        $script:failing = @(
            { Copy-BtrfsItem "$folder/missing" "$folder/new" }
            { Copy-BtrfsItem "$folder/tree" "$folder/tree/sub" }
            { Copy-BtrfsItem "$folder/tree/file" "$folder/old" -NoClobber }
            { Copy-BtrfsItem "$folder/tree/file" '/proc/self/x' }
            { Copy-BtrfsItem "$folder/tree/file" "$folder/into/x/y" -RelativeBasePath "$folder/into" }
            { Copy-BtrfsItem "$folder/old", "$folder/missing" "$folder/new" -Atomic }
        )

        function Invoke-Failing([int] $Times) {
            $ErrorActionPreference = 'SilentlyContinue'
            for ($i = 0; $i -lt $Times; $i++) {
                & $script:failing[$i % $script:failing.Count] 2> $null
            }

            [GC]::Collect()
            [GC]::WaitForPendingFinalizers()
            [GC]::Collect()
        }

        function Get-State {
            @{
                Descriptors = @(Get-ChildItem /proc/self/fd).Count
                # What is resident and the process's own: file pages come and go.
                Memory = [long] (Select-String '^RssAnon:\s+(\d+)' /proc/self/status).Matches[0].Groups[1].Value
            }
        }
    }

    It 'in which thousands of clones fail keeps neither descriptors nor memory' {
        Invoke-Failing ($clones / 5)
        $Error.Clear()
        $before = Get-State
        Invoke-Failing $clones
        $after = Get-State

        $Error.Count | Should -BeGreaterThan 200
        $after.Descriptors | Should -BeLessOrEqual ($before.Descriptors + 4)
        $after.Memory - $before.Memory | Should -BeLessOrEqual (24 * 1024)
        Get-EntryName $folder | Should -Be 'into', 'into/tree', 'old', 'tree', 'tree/file', 'tree/sub'
    }
}
