BeforeDiscovery {
    $dotnet = Get-Command dotnet -CommandType Application -ErrorAction Ignore
}

BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
}

Describe 'A build' -Skip:(-not $dotnet) {
    BeforeAll {
        # A checkout of its own, so that the module under test stays what it is.
        $copy = New-ScratchFolder
        Invoke-Tool sh -c 'tar -C "$0" --exclude=.git --exclude=bin --exclude=obj --exclude=out -c . | tar -C "$1" -x' $checkout $copy

        function Build {
            Invoke-Tool dotnet build "$copy/src/BtrfsClone.PowerShell" @args
        }

        $null = Build
    }

    It 'lets sessions go on that have loaded what was built before' {
        $folder = New-ScratchFolder
        Set-Content "$folder/source" 'content'
        $start = [Diagnostics.ProcessStartInfo]::new('pwsh', [string[]] @('-NoProfile', '-NonInteractive', '-Command', "
            Import-Module '$copy/BtrfsClone.psd1'
            Get-BtrfsExtent '$folder/source' | Out-Null
            'ready'
            `$null = [Console]::In.ReadLine()
            Copy-BtrfsItem '$folder/source' '$folder/clone' -PassThru | Format-Table
            Compare-BtrfsItem '$folder/source' '$folder/clone' | Format-List
            [BtrfsClone.BtrfsException].Assembly.GetName().Version.ToString()"))
        $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
        $session = [Diagnostics.Process]::Start($start)
        $session.StandardOutput.ReadLine() | Should -Be 'ready'

        $null = Build -p:Version=9.8.7
        $session.StandardInput.WriteLine()
        $output = $session.StandardOutput.ReadToEnd()
        $session.WaitForExit()

        $session.ExitCode | Should -Be 0 -Because $session.StandardError.ReadToEnd()
        ($output.TrimEnd() -split "`n")[-1] | Should -Not -Be '9.8.7.0'
        Get-Content "$folder/clone" | Should -Be 'content'
        pwsh -NoProfile -NonInteractive -Command "Import-Module '$copy/BtrfsClone.psd1'; [BtrfsClone.BtrfsException].Assembly.GetName().Version.ToString()" |
            Should -Be '9.8.7.0'
        Get-ChildItem "$copy/bin" -Force -Filter '*.new' | Should -BeNullOrEmpty
    }
}
