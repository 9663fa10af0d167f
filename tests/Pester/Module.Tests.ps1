BeforeDiscovery {
    $analyzer = Get-Module PSScriptAnalyzer -ListAvailable
}

BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
    $manifest = "$checkout/BtrfsClone.psd1"
    Import-Module $manifest
    $module = Get-Module BtrfsClone
}

Describe 'The module' {
    It 'has a manifest without faults' {
        $test = Test-ModuleManifest $manifest -WarningVariable warnings
        $warnings | Should -BeNullOrEmpty
        $test.CompatiblePSEditions | Should -Be 'Core'
        $test.PowerShellVersion | Should -Be '7.6'
    }

    It 'has the version of its assemblies' {
        foreach ($assembly in 'BtrfsClone', 'BtrfsClone.PowerShell') {
            [Reflection.AssemblyName]::GetAssemblyName("$checkout/bin/$assembly.dll").Version.ToString(3) | Should -Be $module.Version
        }
    }

    It 'is imported with little work beside that of starting PowerShell' {
        # Processor time, which is the same whatever else the machine does. 150 ms are half of what a start takes.
        $ratios = foreach ($run in 1..5) {
            $empty, $import = foreach ($command in '', "Import-Module '$manifest'") {
                pwsh -NoProfile -NonInteractive -Command "$command; [Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime.TotalMilliseconds"
            }

            $import / $empty
        }

        ($ratios | Sort-Object)[2] | Should -BeLessThan 1.5
    }

    It 'exports every cmdlet that it has, by name, and nothing else' {
        $types = [Reflection.Assembly]::LoadFrom("$checkout/bin/BtrfsClone.PowerShell.dll").GetExportedTypes()
        $cmdlets = $types | ForEach-Object { [Reflection.CustomAttributeExtensions]::GetCustomAttribute($_, [Management.Automation.CmdletAttribute]) } |
            Where-Object { $_ } | ForEach-Object { "$($_.VerbName)-$($_.NounName)" }
        (Import-PowerShellDataFile $manifest).CmdletsToExport | Sort-Object | Should -Be ($cmdlets | Sort-Object)
        $module.ExportedCommands.Values.CommandType | Sort-Object -Unique | Should -Be 'Cmdlet'
    }

    It 'has an output type for <_>, and the paths of every cmdlet that takes any' -ForEach (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport {
        $command = Get-Command $_
        $command.OutputType | Should -Not -BeNullOrEmpty
        if (-not $command.Parameters.ContainsKey('LiteralPath')) {
            return
        }

        $path = $command.Parameters['Path'].ParameterSets.Values
        $path.Position | Sort-Object -Unique | Should -Be ([int] $command.Parameters.ContainsKey('ReferencePath'))
        # What draws objects takes those from the pipeline.
        $takesPaths = -not $command.Parameters.ContainsKey('InputObject')
        $path.ValueFromPipeline | Sort-Object -Unique | Should -Be $takesPaths
        $literalPath = $command.Parameters['LiteralPath']
        $literalPath.Aliases | Should -Be 'PSPath', 'LP'
        $literalPath.ParameterSets.Values.ValueFromPipelineByPropertyName | Sort-Object -Unique | Should -Be $takesPaths
    }

    It 'leaves another module the version of a library that it has itself, and takes its own' {
        # As a module would that was made with an older one. Its assembly has the name alone in common with ours.
        $older = "$TestDrive/older/System.IO.Hashing.dll"
        $null = New-Item -ItemType Directory "$TestDrive/older"
        Add-Type -TypeDefinition 'namespace System.IO.Hashing { public class Older { } }' -OutputAssembly $older
        $folder = New-ScratchFolder
        # Copy-Item would clone it.
        'a', 'b' | ForEach-Object { [IO.File]::WriteAllBytes("$folder/$_", [byte[]] (1..9999 | ForEach-Object { $_ % 251 })) }
        $said = pwsh -NoProfile -NonInteractive -Command @"
            `$ErrorActionPreference = 'Stop'
            `$default = [Runtime.Loader.AssemblyLoadContext]::Default
            Import-Module '$manifest'
            (Find-BtrfsDuplicate '$folder' -Source Content).Count
            @(`$default.Assemblies | Where-Object { `$_.GetName().Name -eq 'System.IO.Hashing' }).Count
            Add-Type -Path '$older'
            [System.IO.Hashing.Older]::new().GetType().Name
"@
        $said | Should -Be '2', '0', 'Older'
        $said = pwsh -NoProfile -NonInteractive -Command "Add-Type -Path '$older'; Import-Module '$manifest'; (Find-BtrfsDuplicate '$folder' -Source Content).Count"
        $said | Should -Be '2'
    }

    It 'is imported beside another copy of itself, and clones then' {
        $other = (New-Item -ItemType Directory "$TestDrive/BtrfsClone").FullName
        Copy-Item $manifest, "$checkout/BtrfsClone.Format.ps1xml" $other
        Copy-Item "$checkout/bin", "$checkout/en-US" $other -Recurse
        $folder = New-ScratchFolder
        Set-Content "$folder/source" 'content'
        $said = pwsh -NoProfile -NonInteractive -Command @"
            `$ErrorActionPreference = 'Stop'
            Import-Module '$manifest', '$other/BtrfsClone.psd1'
            (Get-Module BtrfsClone).ModuleBase
            `$clones = foreach (`$module in Get-Module BtrfsClone) {
                & `$module.ExportedCommands['Copy-BtrfsItem'] '$folder/source' "$folder/clone`$((++`$number))" -PassThru
            }
            `$clones | Format-Table | Out-Null
            `$clones | Get-Item | ForEach-Object Name
            `$error.Count
"@
        $said | Should -Be $checkout, $other, 'clone1', 'clone2', '0'
        Get-PhysicalRange "$folder/clone1" | Should -Be (Get-PhysicalRange "$folder/source")
    }

    It 'is written as PSScriptAnalyzer likes it' -Skip:(-not $analyzer) {
        # Ours, and not what packages bring along.
        $scripts = find $checkout '(' -name bin -o -name obj -o -name out ')' -prune -o -name '*.ps*1' -print
        $scripts.Count | Should -BeGreaterThan 20
        $scripts | Invoke-ScriptAnalyzer -Settings "$checkout/PSScriptAnalyzerSettings.psd1" | Should -BeNullOrEmpty
    }
}
