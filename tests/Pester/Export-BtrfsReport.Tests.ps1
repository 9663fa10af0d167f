BeforeDiscovery {
    $root = (id -u) -eq '0'
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # What a page holds: the data are base64 of what gzip has compressed.
    function Read-Page([string] $File) {
        $packed = [Convert]::FromBase64String([regex]::Match([IO.File]::ReadAllText((Join-Path $folder $File)), 'id="data">([^<]*)<').Groups[1].Value)
        $reader = [IO.StreamReader]::new([IO.Compression.GZipStream]::new([IO.MemoryStream]::new($packed), [IO.Compression.CompressionMode]::Decompress))
        try {
            $reader.ReadToEnd() | ConvertFrom-Json
        } finally {
            $reader.Dispose()
        }
    }
}

Describe 'Export-BtrfsReport' -Skip:(-not $root) {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory tree/a, tree/b, other
        New-OneExtentFile tree/a/file 40KB
        New-OneExtentFile other/own 8KB
        Invoke-Tool sync -f $folder
        Invoke-Tool cp --reflink=always tree/a/file tree/b/clone
        Invoke-Tool sync -f $folder
    }

    AfterEach {
        Pop-Location
    }

    It 'writes a page, and an object only on request' {
        Export-BtrfsReport tree page.html | Should -BeNullOrEmpty
        [IO.File]::ReadAllText("$folder/page.html") | Should -Match '^<!DOCTYPE html>'
        $result = Export-BtrfsReport tree, other -FilePath both.html -PassThru
        $result | Should -BeOfType BtrfsClone.Reporting.ReportResult
        $result.Path | Should -Be "$folder/both.html"
        $result.Files, $result.Directories, $result.Failed | Should -Be 3, 4, 0
        $result.Length, $result.DiskLength, $result.ReclaimableLength | Should -Be (88KB, 48KB, 48KB)
        ($result | Get-Item).Name | Should -Be 'both.html'
        $measured = Measure-BtrfsItem tree, other -Reclaimable
        $measured[0].SetReclaimableLength | Should -Be $result.ReclaimableLength
        ($measured | Measure-Object DiskLength -Sum).Sum | Should -Be $result.DiskLength
    }

    It 'comes back from a file of objects as it was' {
        $result = Export-BtrfsReport tree -FilePath page.html -PassThru
        $result | Export-Clixml x
        (Import-Clixml x | ConvertTo-Json) | Should -Be ($result | ConvertTo-Json)
    }

    It 'takes directories from the pipeline, passes files over, and the current location without any' {
        Set-Content file 'x'
        $said = Get-ChildItem | Export-BtrfsReport -FilePath page.html -Verbose 4>&1
        "$($said.Message)" | Should -BeLike "*'$folder/file' is not a directory*"
        (Read-Page page.html).paths | Should -Be "$folder/other", "$folder/tree"
        Push-Location tree
        Export-BtrfsReport -FilePath ../here.html
        Pop-Location
        (Read-Page here.html).paths | Should -Be "$folder/tree"
        Measure-BtrfsItem tree/* | Export-BtrfsReport -FilePath measured.html
        (Read-Page measured.html).paths | Should -Be "$folder/tree/a", "$folder/tree/b"
    }

    It 'leaves a file that exists, and replaces it with -Force' {
        Set-Content page.html 'old'
        { Export-BtrfsReport tree page.html } | Should -Throw -ErrorId 'DestinationExists,*'
        $error[0].ErrorDetails.RecommendedAction | Should -Be 'Use -Force to replace it.'
        Get-Content page.html | Should -Be 'old'
        Export-BtrfsReport tree page.html -Force -WhatIf
        Get-Content page.html | Should -Be 'old'
        Export-BtrfsReport tree page.html -Force
        (Read-Page page.html).paths | Should -Be "$folder/tree"
    }

    It 'reports what is no directory or not there, and goes on' {
        Set-Content file 'x'
        Export-BtrfsReport file, missing, tree page.html -ErrorAction SilentlyContinue -ErrorVariable failures
        $failures.FullyQualifiedErrorId -replace ',.*' | Should -Be 'NotADirectory', 'SourceNotFound'
        (Read-Page page.html).paths | Should -Be "$folder/tree"
        { Export-BtrfsReport tree missing/page.html } | Should -Throw -ErrorId 'DestinationNotFound,*'
    }

    It 'needs root, and leaves nothing without' {
        chmod 777 $folder
        $said = Invoke-AsUser "Export-BtrfsReport '$folder/tree' '$folder/page.html' -ErrorVariable failures -ErrorAction SilentlyContinue; `$failures.FullyQualifiedErrorId"
        $said | Should -Match '^PermissionDenied,'
        "$folder/page.html" | Should -Not -Exist
    }
}
