BeforeDiscovery {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"

    # What the cmdlets say they write, and what is inside of it.
    $own = (Get-Command -Module BtrfsClone).OutputType.Type | Where-Object Namespace -Like 'BtrfsClone*'
    $inner = 'BtrfsClone.Measuring.CompressionUsage', 'BtrfsClone.Measuring.ReclaimableGroup', 'BtrfsClone.Finding.DuplicatePlace'
    $types = @($own.FullName) + $inner | Sort-Object -Unique
}

BeforeAll {
    Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"

    # An object of a type with all that it can hold, each as wide as it gets; made as the engine does, whose setters are internal.
    function New-Filled {
        param([type] $Type)

        $new = [Runtime.CompilerServices.RuntimeHelpers]::GetUninitializedObject($Type)
        if ($Type.FullName -eq 'BtrfsClone.Extents.BtrfsExtent') {
            $extent = [Activator]::CreateInstance($Type.Assembly.GetType('BtrfsClone.Extents.FileExtent'))
            $new = $Type::new($path, $extent)
        }

        foreach ($field in $Type.GetFields('Instance, NonPublic')) {
            # What is shared and inline is a part of the length.
            [long] $number = $field.Name -match '<(Shared|Inline)Length' ? 4096 : $field.Name -match 'length|offset' ? 999999999999 : 123456
            $value = switch ($field.FieldType) {
                ([string]) { $field.Name -match '<(Reference|Source|PathIn|Subvolume)' ? '/data' : $path }
                ([long]) { $number }
                ([int]) { 9999999 }
                ([Nullable[long]]) { $number }
                ([bool]) { $false }
                ([timespan]) { [timespan]::FromSeconds(3) }
                ([Collections.Generic.IReadOnlyList[string]]) { , [string[]] @($path) }
                default {
                    if ($field.FieldType.IsGenericType -and $field.FieldType.GenericTypeArguments[0].Namespace -like 'BtrfsClone.*') {
                        $of = $field.FieldType.GenericTypeArguments[0]
                        $list = [Array]::CreateInstance($of, 1)
                        $list[0] = New-Filled $of
                        , $list
                    }
                }
            }
            $name = $field.Name -replace '^<(\w+)>.*', '$1'
            if ($name -in 'Kind', 'Type', 'Action') {
                $value = @{ Kind = $Type.Name -eq 'BtrfsDuplicate' ? 'Range' : 'CharacterDevice'; Type = 'Prealloc'; Action = 'Replace' }[$name]
            }

            if ($null -ne $value) {
                $field.SetValue($new, $value)
            }
        }

        $new
    }

    $name = 'a name of some length.img'
    $path = "/srv/machines/of somebody/$name"

    # The lines that somebody sees who has a terminal of 80 columns.
    function Get-Shown {
        param([object] $InputObject)

        $rendering = $PSStyle.OutputRendering
        try {
            $PSStyle.OutputRendering = 'PlainText'
            ($InputObject | Out-String -Width 80) -split "`n" | ForEach-Object TrimEnd
        } finally {
            $PSStyle.OutputRendering = $rendering
        }
    }
}

Describe 'The view of <_>' -ForEach $types {
    BeforeAll {
        $type = $_ -as [type]
        $object = New-Filled $type
        $hasPath = $null -ne $type.GetProperty('PSPath') -or $null -ne $type.GetProperty('With')
    }

    It 'is a table of at most 80 columns, and cuts neither name nor number' {
        foreach ($one in $object, [Management.Automation.PSSerializer]::Deserialize([Management.Automation.PSSerializer]::Serialize($object, 3))) {
            $lines = Get-Shown $one
            $lines -match '^[\s-]*--[\s-]*$' | Should -Not -BeNullOrEmpty -Because "it is a table:`n$($lines -join "`n")"
            $lines | ForEach-Object Length | Should -Not -BeGreaterThan 80
            "$lines" | Should -Not -Match ([char] 0x2026)
            if ($hasPath) {
                # A long one goes on in the lines below.
                -join $lines -replace '\s' | Should -BeLike "*$($name -replace '\s')*"
            }
        }
    }

    It 'is a list that says each thing once' {
        $lines = ($object | Format-List | Out-String -Width 1000) -split "`n" -ne ''
        $lines | Should -Not -Match '^(Name|FullName|PSPath) +:'
        $first = @($type.GetProperties().Name)[0]
        $lines | Where-Object { $_ -match "^$first +: " } | Should -HaveCount 1
    }
}

Describe 'An object of <_>' -ForEach $types {
    BeforeAll {
        $type = $_ -as [type]
        $object = New-Filled $type
    }

    It 'has read-only properties, and shows nothing of how it is made' {
        $members = $object | Get-Member
        $members | Where-Object MemberType -EQ 'Property' | Where-Object Definition -Match 'set;' | Should -BeNullOrEmpty
        $members.Name | Where-Object { $_ -match '[<>$]|^EqualityContract$|^Deconstruct$' } | Should -BeNullOrEmpty
    }

    It 'has the names that Copy-Item has in its objects' {
        if ($type.GetProperty('Path')) {
            $object.Name | Should -Be $name
            $object.FullName | Should -Be $path
            $object.PSPath | Should -Be $path
        } else {
            $object.psobject.Properties.Name | Should -Not -Contain 'FullName'
        }
    }

    It 'becomes JSON and CSV that have words, not the numbers of words' {
        $type.GetProperties().PropertyType | Where-Object IsEnum | Should -BeNullOrEmpty
        $json = $object | ConvertTo-Json -Depth 4 -WarningAction Stop | ConvertFrom-Json
        $csv = $object | ConvertTo-Csv | ConvertFrom-Csv
        foreach ($property in 'Kind', 'Type', 'Action', 'Path', 'Length') {
            if ($type.GetProperty($property)) {
                $json.$property | Should -Be $object.$property
                $csv.$property | Should -Be "$($object.$property)"
            }
        }
    }
}
