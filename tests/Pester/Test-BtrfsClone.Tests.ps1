BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
    Import-Module "$PSScriptRoot/Scratch.psm1"
}

Describe 'Test-BtrfsClone' {
    BeforeEach {
        $folder = New-ScratchFolder
        Push-Location $folder
        $null = New-Item -ItemType Directory tree
        Invoke-Tool dd if=/dev/urandom of=tree/a bs=4096 count=10 status=none
        Copy-BtrfsItem tree clone
    }

    AfterEach {
        Pop-Location
    }

    It 'is true for a clone, and false as soon as it differs' {
        Test-BtrfsClone tree clone | Should -BeTrue
        Test-BtrfsClone tree/a clone/a | Should -BeTrue
        Test-BtrfsClone tree clone | Should -BeOfType bool
        Invoke-Tool cp --reflink=never tree/a copy
        Test-BtrfsClone tree/a copy | Should -BeFalse
        Set-Content clone/more 'more'
        Test-BtrfsClone tree clone | Should -BeFalse
        Test-BtrfsClone -ReferencePath tree/a -LiteralPath clone/a | Should -BeTrue
    }

    It 'answers each item of a pipeline' {
        Set-Content other 'other'
        'clone/a', 'other', 'missing' | Test-BtrfsClone tree/a -ErrorVariable failures -ErrorAction SilentlyContinue |
            Should -Be $true, $false
        $failures[0].FullyQualifiedErrorId | Should -Match '^SourceNotFound,'
    }

    It 'answers an ordinary user, too' -Skip:((id -u) -ne '0') {
        Invoke-Tool chmod -R a+rX .
        Invoke-AsUser "Test-BtrfsClone '$folder/tree' '$folder/clone'" | Should -Be 'True'
    }
}
