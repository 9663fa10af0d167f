BeforeAll {
    $manifest = "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module $manifest
    Import-Module "$PSScriptRoot/Scratch.psm1"

    # What an import of Get-BtrfsExtent's output looks like: pieces of a file one after another, "KIND LENGTH".
    function Get-Piece([string] $Path, [string[]] $Pieces) {
        $offset = 0
        foreach ($piece in $Pieces) {
            $kind, $length = $piece -split ' '
            if ($kind -ne 'gap') {
                [pscustomobject] @{
                    Path     = $Path
                    Offset   = $offset
                    Length   = [long] $length
                    Kind     = $kind -replace 'Exclusive|Shared', 'Data'
                    IsShared = $kind -eq 'Shared'
                }
            }

            $offset += $length
        }
    }
}

Describe 'Show-BtrfsExtentMap' {
    BeforeEach {
        $rendering = $PSStyle.OutputRendering
        $PSStyle.OutputRendering = 'PlainText'
    }

    AfterEach {
        $PSStyle.OutputRendering = $rendering
    }

    It 'draws each kind with a glyph of its own, to scale' {
        $lines = Get-Piece /f 'Exclusive 8192', 'Shared 16384', 'Inline 4096', 'Prealloc 8192', 'Delalloc 12288', 'Hole 32768' |
            Show-BtrfsExtentMap -Width 42
        $lines[0] | Should -Be '/f: 80 KiB, 5 extents'
        $lines[1] | Should -Be ('[' + '#' * 4 + '=' * 8 + 'i' * 2 + 'p' * 4 + '~' * 6 + '.' * 16 + ']')
        $legend = $lines | Select-Object -Skip 2 | Join-String -Separator ' '
        foreach ($entry in '# exclusive 8 KiB (10 %)', '= shared 16 KiB (20 %)', 'i inline 4 KiB (5 %)', 'p prealloc 8 KiB (10 %)',
            '~ delalloc 12 KiB (15 %)', '. hole 32 KiB (40 %)') {
            $legend | Should -BeLike "*$entry*"
        }

        $lines | ForEach-Object Length | Should -Not -BeGreaterThan 42
    }

    It 'takes what lies between two pieces for a hole' {
        $lines = Get-Piece /f 'gap 4096', 'Exclusive 4096', 'gap 8192', 'Shared 4096' | Show-BtrfsExtentMap -Width 22
        $lines[1] | Should -Be '[....####........====]'
        $lines | Should -Contain '. hole 12 KiB (60 %)'
    }

    It 'marks where a piece is too small to be seen' {
        $lines = Get-Piece /f 'Shared 40960000', 'Exclusive 4096', 'Shared 40960000' | Show-BtrfsExtentMap -Width 23
        $lines[1] | Should -Be '[==========%==========]'
        $lines[2] | Should -BeLike '*exclusive 4 KiB (< 0.1 %)*'
        $lines -join ' ' | Should -BeLike '*% several of these*'
    }

    It 'draws the border of two long pieces as one of them' {
        (Get-Piece /f 'Shared 1000000', 'Exclusive 1020000' | Show-BtrfsExtentMap -Width 22)[1] | Should -Be '[==========##########]'
    }

    It 'draws files of any size over the whole width' -ForEach 1, 100, 4096, 1TB, 1PB, ([long]::MaxValue) {
        (Get-Piece /f "Shared $([long] $_)" | Show-BtrfsExtentMap -Width 30)[1] | Should -Be "[$('=' * 28)]"
    }

    It 'sums up files that together are longer than one can be' {
        $lines = @(Get-Piece /f "Hole $([long]::MaxValue)"; Get-Piece /g "Hole $([long]::MaxValue)") | Show-BtrfsExtentMap -Width 60
        $lines[-2] | Should -Be '2 files, 16 EiB, 0 extents'
        $lines[-1] | Should -Be '. hole 16 EiB (100 %)'
    }

    It 'draws several files, and their totals' {
        $lines = @(Get-Piece /f 'Shared 4096'; Get-Piece /g 'Exclusive 12288') | Show-BtrfsExtentMap -Width 60
        $lines | Should -Contain '/f: 4 KiB, 1 extent'
        $lines | Should -Contain '/g: 12 KiB, 1 extent'
        $lines[-2] | Should -Be '2 files, 16 KiB, 2 extents'
        $lines[-1] | Should -Be '# exclusive 12 KiB (75 %)  = shared 4 KiB (25 %)'
    }

    It 'shows what a clone shares, and where an overwrite parted it' {
        $folder = New-ScratchFolder
        New-OneExtentFile $folder/a 80KB
        Invoke-Tool cp --reflink=always $folder/a $folder/b
        Invoke-Tool dd if=/dev/urandom of=$folder/b bs=4096 count=1 seek=10 conv='notrunc,fsync' status=none
        (Get-BtrfsExtent $folder/b | Show-BtrfsExtentMap -Width 22)[1] | Should -Be '[==========#=========]'
        Get-BtrfsExtent $folder/b | Export-Clixml "$folder/x"
        (Import-Clixml "$folder/x" | Show-BtrfsExtentMap -Width 22)[1] | Should -Be '[==========#=========]'
        Get-BtrfsExtent $folder/b | ConvertTo-Csv | ConvertFrom-Csv | Show-BtrfsExtentMap -Width 22 |
            Should -Contain '[==========#=========]'
        $map = Show-BtrfsExtentMap -InputObject (Get-BtrfsExtent $folder/a) -Width 22
        $map[1] | Should -Match '^\[=+\]$|^\[[=#]+\]$'
    }

    It 'takes the console''s width, and colours where they are wanted' {
        $PSStyle.OutputRendering = 'Ansi'
        $command = "Import-Module '$manifest'; [pscustomobject] @{ Path = '/f'; Offset = 0; Length = 9; Kind = 'Data'; IsShared = `$true } | Show-BtrfsExtentMap"
        $bare = env TERM=xterm NO_COLOR=1 pwsh -NoProfile -NonInteractive -Command $command
        $bare[1] | Should -Match '^\[=+\]$'
        $coloured = env -u NO_COLOR TERM=xterm pwsh -NoProfile -NonInteractive -Command "`$PSStyle.OutputRendering = 'Ansi'; $command"
        $coloured[1] | Should -Match "^\[`e\[36m[^=]+`e\[0m\]`$"
    }

    It 'draws files that are named, and those of the current location' {
        $folder = New-ScratchFolder
        $null = New-Item -ItemType Directory $folder/below
        foreach ($name in 'a', 'below/b[1]') {
            Invoke-Tool dd if=/dev/urandom of=$folder/$name bs=4096 count=20 conv=fsync status=none
        }

        Invoke-Tool truncate -s 160K $folder/a
        Push-Location $folder
        try {
            # Half of it is a hole, which a path brings, too.
            $a = "$folder/a: 160 KiB, 1 extent", '[##########..........]'
            (Show-BtrfsExtentMap a -Width 22)[0, 1] | Should -Be $a
            (Show-BtrfsExtentMap -LiteralPath a -Width 22)[0, 1] | Should -Be $a
            (Get-Item a | Show-BtrfsExtentMap -Width 22)[0, 1] | Should -Be $a
            (Show-BtrfsExtentMap -Width 22)[0, 1] | Should -Be $a
            Show-BtrfsExtentMap -Width 22 | Should -Not -Match 'b\[1\]|files'
            Show-BtrfsExtentMap -Recurse -Width 22 | Should -Contain '2 files, 240 KiB, 2 extents'
            (Get-FileHash -LiteralPath 'below/b[1]' | Show-BtrfsExtentMap -Width 22)[0] | Should -Be "$folder/below/b[1]: 80 KiB, 1 extent"
            @() | Show-BtrfsExtentMap | Should -BeNullOrEmpty
            { Show-BtrfsExtentMap $null } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        } finally {
            Pop-Location
        }
    }

    It 'refuses what is not an extent, and goes on' {
        $tooFar = Get-Piece /f "gap $([long]::MaxValue - 1)", 'Shared 4096'
        $lines = @(1; $tooFar; Get-Piece /f 'Shared 4096') | Show-BtrfsExtentMap -Width 22 -ErrorVariable failures -ErrorAction SilentlyContinue
        $failures.FullyQualifiedErrorId -like 'NotAnExtent,*' | Should -HaveCount 2
        $lines[1] | Should -Be "[$('=' * 20)]"
    }
}
