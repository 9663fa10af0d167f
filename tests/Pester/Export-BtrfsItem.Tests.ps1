BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Export-BtrfsItem' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory pool/below, other, received
        Invoke-Tool dd if=/dev/urandom of=pool/image bs=4096 count=100 status=none
        Invoke-Tool cp --reflink=always pool/image pool/below/clone
        Invoke-Tool cp --reflink=always pool/image other/third
        Invoke-Tool sync -f .
    }

    AfterEach {
        Pop-Location
        Get-ChildItem "$folder/received" -ErrorAction Ignore | ForEach-Object { $null = Invoke-Tool btrfs subvolume delete $_.FullName }
    }

    It 'writes what btrfs receive makes subvolumes of, with what they share' -Skip:((id -u) -ne 0) {
        $results = Export-BtrfsItem pool, other stream -PassThru
        $results | Should -BeOfType BtrfsClone.Sending.SendResult
        $results.Subvolume | Should -Be pool, other
        $results.SharedLength | Should -Be 409600, 409600
        Invoke-Tool btrfs receive -q -f stream received
        Invoke-Tool diff -r pool received/pool
        Invoke-Tool diff -r other received/other
        (Compare-BtrfsItem received/pool/image received/other/third).SharedLength | Should -Be 409600
        (Get-Item stream).UnixMode | Should -Be '-rw-------'
    }

    It 'writes version 1 for old receivers' {
        Export-BtrfsItem pool stream -Protocol 1
        $header = [IO.File]::ReadAllBytes("$folder/stream")[0..16]
        [Text.Encoding]::ASCII.GetString($header[0..11]) | Should -Be 'btrfs-stream'
        $header[12..16] | Should -Be 0, 1, 0, 0, 0
        { Export-BtrfsItem pool stream -Protocol 3 } | Should -Throw
    }

    It 'takes items from the pipeline, and passes over what is no directory' {
        Set-Content file 'x'
        $results = Get-ChildItem pool, other, file | Get-Item | Export-BtrfsItem -FilePath stream -PassThru -Verbose 4>&1
        ($results | Where-Object { $_ -is [BtrfsClone.Sending.SendResult] }).Name | Should -Be below
        @($results | Where-Object { $_ -is [Management.Automation.VerboseRecord] -and $_ -match 'is not a directory' }).Count |
            Should -Be 3
    }

    It 'reports what is missing or no directory, and goes on' {
        Set-Content file 'x'
        $result = Export-BtrfsItem missing, file, pool stream -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $result.Name | Should -Be pool
        $failures.FullyQualifiedErrorId | Should -Be @(
            'SourceNotFound,BtrfsClone.PowerShell.ExportBtrfsItemCommand', 'NotADirectory,BtrfsClone.PowerShell.ExportBtrfsItemCommand')
        'stream' | Should -Exist
    }

    It 'refuses two directories of one name' {
        $null = New-Item -ItemType Directory again/pool
        Export-BtrfsItem pool, again/pool stream -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId | Should -BeLike 'JustCreated,*'
    }

    It 'replaces a file in one step, unless it is to be kept' {
        Set-Content stream 'old'
        { Export-BtrfsItem pool stream -NoClobber } | Should -Throw -ErrorId 'DestinationExists,*'
        Export-BtrfsItem missing stream -ErrorAction SilentlyContinue
        Get-Content stream | Should -Be 'old'
        Invoke-Tool chmod 400 stream
        { Export-BtrfsItem pool stream } | Should -Throw -ErrorId 'DestinationReadOnly,*'
        Get-Content stream | Should -Be 'old'
        Export-BtrfsItem pool stream -Force
        (Get-Item stream).Length | Should -BeGreaterThan 409600
        (Get-ChildItem -Force -File).Name | Should -Be stream
    }

    It 'says what to do where <_> is to take the stream' -ForEach 'fifo', '/dev/stdout', '/dev/null' {
        Invoke-Tool mkfifo fifo
        $said = pwsh -NoProfile -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; try { Export-BtrfsItem pool $_ } catch { `$_.FullyQualifiedErrorId; `$_.ErrorDetails.RecommendedAction }" | Out-String
        $said | Should -Match '^NotRegularFile,'
        $said | Should -Match 'btrfs-clone send DIR \| btrfs receive DIR'
        Invoke-Tool stat -c %F fifo | Should -Be 'fifo'
    }

    It 'makes no file with -WhatIf, and none where nothing could be sent' {
        $told = pwsh -NoProfile -Command "Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Set-Location '$folder'; Export-BtrfsItem pool stream -WhatIf"
        $told | Should -Match '"Export" on target "Item: .*/pool File: .*/stream"'
        Export-BtrfsItem missing stream -ErrorAction SilentlyContinue
        'stream' | Should -Not -Exist
    }

    It 'writes results that survive the way through a file' {
        $result = Export-BtrfsItem pool stream -PassThru
        $result | Export-Clixml result.xml
        $read = Import-Clixml result.xml
        $read.PSObject.TypeNames | Should -Contain 'Deserialized.BtrfsClone.Sending.SendResult'
        foreach ($name in 'Path', 'Subvolume', 'Files', 'Directories', 'Length', 'SharedLength', 'StreamLength', 'Failed', 'Elapsed') {
            $read.$name | Should -Be $result.$name
        }

        ($result | ConvertTo-Json | ConvertFrom-Json).SharedLength | Should -Be $result.SharedLength
        ($result | Format-Table | Out-String -Width 80).TrimEnd() -split "`n" | ForEach-Object { $_.Length | Should -BeLessOrEqual 80 }
        $result | Format-Table | Out-String -Width 80 | Should -Match '2 +800 KiB +400 KiB +40\d\.?\d? KiB +0 pool'
    }

    It 'tells what does not arrive in a warning' {
        Invoke-Tool chattr +d pool/image
        Export-BtrfsItem pool stream -WarningVariable warnings -WarningAction SilentlyContinue
        $warnings | Should -Match 'inode flag .*NODUMP'
    }
}
