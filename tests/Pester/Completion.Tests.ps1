BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"

    $folder = New-ScratchFolder
    $null = New-Item -ItemType Directory "$folder/tree/obj"
    $null = New-Item -ItemType Directory "$folder/dir [1]"
    foreach ($file in 'a.cs', 'b.cs', 'c[1].txt', 'obj/d.o') {
        Set-Content -LiteralPath "$folder/tree/$file" $file
    }

    Push-Location $folder
}

AfterAll {
    Pop-Location
}

Describe 'Tab' {
    It 'after "<line>" offers <expected>' -ForEach @(
        @{ line = 'Copy-BtrfsItem x y -Reflink '; expected = 'Always', 'Auto' }
        @{ line = 'Copy-BtrfsItem x y -Reflink au'; expected = 'Auto' }
        @{ line = 'Copy-BtrfsItem x d'; expected = "'./dir [1]'" }
        @{ line = 'Copy-BtrfsItem x -Destination "d'; expected = "'./dir [1]'" }
        @{ line = 'Copy-BtrfsItem x y -RelativeBasePath '; expected = "'./dir [1]'", './tree' }
        @{ line = 'Copy-BtrfsItem x y -RelativeBasePath ./tree/'; expected = './tree/obj' }
        @{ line = 'Copy-BtrfsItem ./tree x -Include '; expected = '*.cs', '*.txt', 'obj', 'a.cs', 'b.cs', "'c``[1``].txt'" }
        @{ line = 'Copy-BtrfsItem ./tree x -Exclude o'; expected = 'obj' }
        @{ line = 'Copy-BtrfsItem ./tree x -Exclude obj, *.'; expected = '*.cs', '*.txt' }
        @{ line = 'Copy-BtrfsItem x y -ThrottleLimit '; expected = $(for ($n = 1; $n -lt [Environment]::ProcessorCount; $n *= 2) { "$n" }), "$([Environment]::ProcessorCount)" | ForEach-Object { $_ } }
        @{ line = 'Find-BtrfsDuplicate x -Source '; expected = 'Auto', 'Checksum', 'Content' }
        @{ line = 'Find-BtrfsDuplicate ./tree -Exclude o'; expected = 'obj' }
        @{ line = 'Wait-BtrfsDelalloc x -Timeout 6'; expected = '60', '600' }
        @{ line = 'Copy-BtrfsRange x y -Length '; expected = '0', '64KB', '128KB', '1MB', '16MB', '128MB', '1GB' }
        @{ line = 'Get-BtrfsExtent x -Offset 4711'; expected = '4711' }
        @{ line = 'Show-BtrfsExtentMap x -Width 1'; expected = '120', '160' }
        @{ line = 'Copy-BtrfsRange x ./tree/c'; expected = './tree/c[1].txt' }
    ) {
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be $expected
    }

    It 'offers what then names the very item' {
        $line = 'Copy-BtrfsItem ./tree/a.cs d'
        & ([scriptblock]::Create('Copy-BtrfsItem ./tree/a.cs ' + (TabExpansion2 $line $line.Length).CompletionMatches[0].CompletionText))
        Test-Path -LiteralPath './dir [1]/a.cs' | Should -BeTrue
    }
}
