BeforeDiscovery {
    $rows = Get-Content "$PSScriptRoot/../../docs/features.md" | Where-Object { $_ -match '^\| [^|]' } | ForEach-Object {
        $cells = $_.Trim('|') -split '\|' | ForEach-Object Trim
        @{ feature = $cells[0]; ours = $cells[1]; tests = [regex]::Matches($cells[2], '\[(?<name>[^]]+)\]\((?<file>[^)]+)\)') }
    }
}

Describe 'The table of features' {
    It 'names tests that are there for "<feature>"' -ForEach $rows {
        @($tests).Count -gt 0 | Should -Be ($ours -ne 'no') -Because 'what we say that we can is tested'
        foreach ($test in $tests) {
            $file = "$PSScriptRoot/../../docs/$($test.Groups['file'].Value)"
            $name = $test.Groups['name'].Value
            $declaration = $file.EndsWith('.cs') ? "void $($name -replace ' ', '_')(" : "It '$name'"
            [IO.File]::ReadAllText($file).Contains($declaration) | Should -BeTrue -Because "'$name' is in $file"
        }
    }
}
