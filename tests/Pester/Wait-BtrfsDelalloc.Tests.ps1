BeforeDiscovery {
    $python = Get-Command python3 -CommandType Application -ErrorAction Ignore
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $id = 'BtrfsClone.PowerShell.WaitBtrfsDelallocCommand'

    # The files that have data waiting to be written, by a script that knows nothing of the module.
    function Get-BusyFile {
        $lines = @(Invoke-Tool python3 "$PSScriptRoot/../BtrfsClone.Tests/Support/busy-files.py" @args)
        [int] $lines[-1] | Should -BeGreaterThan 0
        $lines | Select-Object -SkipLast 1
    }
}

Describe 'Wait-BtrfsDelalloc' -Skip:(-not $python) {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        Invoke-Tool sh -c 'mkdir sub; for i in 1 2 3; do head -c 20000 /dev/urandom > file$i; done; echo x > "a[1].txt"; echo x > sub/leaf'
        Get-BusyFile $folder | Should -HaveCount 5
    }

    AfterEach {
        Pop-Location
    }

    It 'comes back when nothing of <name> is delayed, and says nothing' -ForEach @(
        @{ name = 'a directory'; wait = { Wait-BtrfsDelalloc . }; left = @() }
        @{ name = 'a file'; wait = { Wait-BtrfsDelalloc file1 }; left = 'a[1].txt', 'file2', 'file3', 'sub/leaf' }
        @{ name = 'a wildcard'; wait = { Wait-BtrfsDelalloc -Path file?, sub }; left = 'a[1].txt' }
        @{ name = 'literal paths'; wait = { Wait-BtrfsDelalloc -LiteralPath 'a[1].txt', sub }; left = 'file1', 'file2', 'file3' }
        @{ name = 'objects with a PSPath'; wait = { Get-ChildItem -File | Select-Object PSPath | Wait-BtrfsDelalloc }; left = 'sub/leaf' }
        @{ name = 'objects given as arguments'; wait = { Wait-BtrfsDelalloc (Get-ChildItem -File) }; left = 'sub/leaf' }
    ) {
        & $wait | Should -BeNullOrEmpty
        Get-BusyFile $folder | Sort-Object -CaseSensitive | Should -Be ($left | ForEach-Object { "$folder/$_" } | Sort-Object -CaseSensitive)
    }

    It 'with -PassThru writes the very objects that came in, in their order' {
        Invoke-Tool ln -s file1 link
        $given = Get-ChildItem -Recurse | ForEach-Object { $_ | Add-Member mark $_.Name -PassThru }
        $passed = $given | Wait-BtrfsDelalloc -PassThru
        $passed | Should -HaveCount 7
        0..6 | ForEach-Object { [object]::ReferenceEquals($passed[$_], $given[$_]) | Should -BeTrue }
        $passed.mark | Should -Be $given.Name
        Get-BusyFile $folder | Should -BeNullOrEmpty
    }

    It 'with -PassThru writes the items of paths as Get-Item does' {
        $passed = Wait-BtrfsDelalloc -LiteralPath 'a[1].txt', sub -PassThru
        $passed[0] | Should -BeOfType IO.FileInfo
        $passed[1] | Should -BeOfType IO.DirectoryInfo
        $passed.PSPath | Should -Be (Get-Item -LiteralPath 'a[1].txt', sub).PSPath
    }

    It 'stands between Get-ChildItem and Copy-BtrfsItem' {
        Invoke-Tool sh -c 'ln -s nowhere dangling; mkfifo fifo; printf x > .hidden; printf x > "new
line"; sync file1; head -c 9000 /dev/urandom >> file1; head -c 50000 /dev/urandom >> file1'
        Get-ChildItem -Recurse -File -Force | Wait-BtrfsDelalloc -PassThru | Copy-BtrfsItem -Destination "$folder.clone" -RelativeBasePath .
        Compare-Tree $folder "$folder.clone" | Should -BeNullOrEmpty
    }

    It 'passes over what is no file where it was not named, and says so' {
        Invoke-Tool mkfifo fifo
        $said = Get-ChildItem | Wait-BtrfsDelalloc -Verbose 4>&1
        $said.Message -like '*neither*' | Should -BeLike "*$folder/fifo*"
    }

    It 'refuses <name>: <error>' -ForEach @(
        @{ name = 'a FIFO'; path = 'fifo'; error = 'NotRegularFile'; category = 'InvalidType' }
        @{ name = 'a link that leads nowhere'; path = 'dangling'; error = 'SourceNotFound'; category = 'ObjectNotFound' }
        @{ name = 'a missing file'; path = 'missing'; error = 'SourceNotFound'; category = 'ObjectNotFound' }
        @{ name = 'another provider'; path = 'Env:HOME'; error = 'NotFileSystem'; category = 'InvalidArgument' }
    ) {
        Invoke-Tool sh -c 'mkfifo fifo; ln -s nowhere dangling'
        $passed = Wait-BtrfsDelalloc file1, $path, file2 -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $passed.Name | Should -Be 'file1', 'file2'
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Be "$error,$id"
        $failures[0].CategoryInfo.Category | Should -Be $category
    }

    It 'waits for what a link leads to that is named' {
        Invoke-Tool ln -s file1 named
        Get-BusyFile file1 | Should -HaveCount 1
        (Wait-BtrfsDelalloc named -PassThru).FullName | Should -Be "$folder/file1"
        Get-BusyFile file1 | Should -BeNullOrEmpty
    }

    It 'with -NoFlush only waits, and past -Timeout is an error of the item alone' {
        Invoke-Tool sync file2
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $passed = Wait-BtrfsDelalloc file1, file2 -NoFlush -Timeout 1 -PassThru -ErrorVariable failures -ErrorAction SilentlyContinue
        $watch.Elapsed.TotalSeconds | Should -BeGreaterThan 0.9
        $passed.Name | Should -Be 'file2'
        $failures | Should -HaveCount 1
        $failures[0].FullyQualifiedErrorId | Should -Be "DelallocTimeout,$id"
        $failures[0].CategoryInfo.Category | Should -Be 'OperationTimeout'
        $failures[0].TargetObject | Should -Be "$folder/file1"
        Get-BusyFile file1 | Should -HaveCount 1
    }

    It 'shows progress while it waits, and ends it' {
        $shell = [powershell]::Create()
        try {
            $null = $shell.AddScript("Import-Module '$((Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path)'; Wait-BtrfsDelalloc '$folder' -NoFlush -Timeout 2").Invoke()
            $shell.Streams.Error.FullyQualifiedErrorId | Should -BeLike 'DelallocTimeout,*'
            $shell.Streams.Progress.Count | Should -BeGreaterThan 1
            $shell.Streams.Progress[0].StatusDescription | Should -Match '^\d+ files$'
            $shell.Streams.Progress[0].CurrentOperation | Should -Be $folder
            $shell.Streams.Progress[-1].RecordType | Should -Be 'Completed'
        } finally {
            $shell.Dispose()
        }
    }

    It 'takes no -Timeout below one second' {
        { Wait-BtrfsDelalloc file1 -Timeout 0 } | Should -Throw -ErrorId 'ParameterArgumentValidationError*'
    }

    It 'ends at once when the pipeline is stopped' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$PSScriptRoot/../../BtrfsClone.psd1'; Wait-BtrfsDelalloc '$folder' -NoFlush -PassThru")
        $running = $shell.BeginInvoke()
        Start-Sleep -Seconds 2
        $running.IsCompleted | Should -BeFalse
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $watch.Elapsed.TotalSeconds | Should -BeLessThan 1
        $shell.InvocationStateInfo.State | Should -Be 'Stopped'
        $shell.Streams.Error | Should -BeNullOrEmpty
        $shell.Dispose()
    }
}
