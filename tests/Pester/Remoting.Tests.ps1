BeforeDiscovery {
    $sshd = (Get-Command sshd -ErrorAction Ignore) -and (Get-Command ssh -ErrorAction Ignore) -and (id -u) -eq '0'
}

Describe 'Over SSH remoting' -Skip:(-not $sshd) {
    BeforeAll {
        Import-Module "$PSScriptRoot/../../BtrfsClone.psd1"
        Import-Module "$PSScriptRoot/Scratch.psm1"

        # Two addresses of this machine stand for two hosts, each with a folder of its own.
        $manifest = (Resolve-Path "$PSScriptRoot/../../BtrfsClone.psd1").Path
        $keys = New-ScratchFolder
        Invoke-Tool ssh-keygen -q -t ed25519 -N '' -f "$keys/host"
        Invoke-Tool ssh-keygen -q -t ed25519 -N '' -f "$keys/user"
        $port = 20000 + $PID % 20000
        Set-Content "$keys/sshd_config" @"
ListenAddress 127.0.0.1:$port
ListenAddress 127.0.0.2:$port
HostKey $keys/host
AuthorizedKeysFile $keys/user.pub
StrictModes no
PermitRootLogin yes
PidFile none
Subsystem powershell $((Get-Command pwsh).Source) -sshs -NoLogo -NoProfile
"@
        $null = New-Item -ItemType Directory /run/sshd -Force
        $daemon = Start-Process (Get-Command sshd).Source '-D', '-e', '-f', "$keys/sshd_config" -PassThru -RedirectStandardError "$keys/log"
        $remote = @{
            HostName = '127.0.0.1', '127.0.0.2'
            Port = $port
            UserName = 'root'
            KeyFilePath = "$keys/user"
            Options = @{ StrictHostKeyChecking = 'no'; UserKnownHostsFile = "$keys/known_hosts"; LogLevel = 'ERROR' }
        }
        $deadline = [datetime]::UtcNow.AddSeconds(10)
        while (-not (Select-String 'Server listening' "$keys/log" -Quiet) -and [datetime]::UtcNow -lt $deadline) {
            Start-Sleep -Milliseconds 50
        }

        $sessions = New-PSSession @remote
        $folders = @{}
        foreach ($address in $remote.HostName) {
            $folders[$address] = New-ScratchFolder
            Invoke-Tool sh "$PSScriptRoot/make-tree.sh" "$($folders[$address])/src [1]"
        }

        $clone = {
            param($manifest, $folders)
            Import-Module $manifest
            $folder = $folders[($env:SSH_CONNECTION -split ' ')[2]]
            Copy-BtrfsItem -LiteralPath "$folder/src [1]" -Destination "$folder/dst [1]" -PassThru
        }
    }

    AfterAll {
        Remove-PSSession $sessions
        Stop-Process $daemon
    }

    It 'clones on every host, and the results are usable here' {
        $results = Invoke-Command -Session $sessions -ThrottleLimit 2 -ScriptBlock $clone -ArgumentList $manifest, $folders
        $results | Should -HaveCount 2
        $results.PSComputerName | Sort-Object | Should -Be $remote.HostName
        foreach ($result in $results) {
            $folder = $folders[$result.PSComputerName]
            $result.Path | Should -Be "$folder/dst [1]"
            $result.Length | Should -BeOfType long
            $result.Kind.ToString() | Should -Be 'Directory'
            Compare-Tree "$folder/src [1]" "$folder/dst [1]" | Should -BeNullOrEmpty
        }

        # Deserialized objects still bind by property name.
        $again = Join-Path (New-ScratchFolder) 'again'
        $results[0] | Copy-BtrfsItem -Destination $again
        Get-ChildItem -LiteralPath $again -Name | Should -Be 'dst [1]'
    }

    It 'reports the failure of one host as that host''s error' {
        $null = New-Item -ItemType Directory "$($folders['127.0.0.2'])/bad"
        $folders['127.0.0.2'] += '/bad'
        $folders['127.0.0.1'] = New-Tree | Split-Path
        Rename-Item "$($folders['127.0.0.1'])/src" 'src [1]'
        $results = Invoke-Command -Session $sessions -ThrottleLimit 2 -ScriptBlock $clone -ArgumentList $manifest, $folders -ErrorVariable failures -ErrorAction SilentlyContinue
        $results.PSComputerName | Should -Be '127.0.0.1'
        $failures | Should -HaveCount 1
        $failures[0].OriginInfo.PSComputerName | Should -Be '127.0.0.2'
        $failures[0].FullyQualifiedErrorId | Should -Be 'SourceNotFound,BtrfsClone.PowerShell.CopyBtrfsItemCommand'
    }
}

Describe 'The examples with -HostName' -Skip:(-not $sshd) {
    BeforeAll {
        Import-Module "$PSScriptRoot/Scratch.psm1"
        Import-Module "$PSScriptRoot/Transcript.psm1"
        $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
        $keys = New-ScratchFolder
        Invoke-Tool ssh-keygen -q -t ed25519 -N '' -f "$keys/host"
        Invoke-Tool ssh-keygen -q -t ed25519 -N '' -f "$keys/user"
        $null = New-Item -ItemType Directory /run/sshd -Force

        # Where Install puts the module, for the hosts.
        $null = New-Item -ItemType Directory "$keys/modules"
        $null = New-Item -ItemType SymbolicLink "$keys/modules/BtrfsClone" -Target $checkout

        # Each host is a daemon that sees a folder of its own as /srv.
        $port = 20000 + ($PID + 7) % 20000
        $daemons = foreach ($name in 'web1', 'web2') {
            $folder = New-ScratchFolder
            $null = New-Item -ItemType Directory "$folder/other"
            sh "$checkout/src/BtrfsClone.Cli/demo-data.sh" $folder "$folder/other"
            Set-Content "$keys/$name" @"
ListenAddress 127.0.0.1:$port
HostKey $keys/host
AuthorizedKeysFile $keys/user.pub
StrictModes no
PermitRootLogin yes
PidFile none
SetEnv PSModulePath=$keys/modules
Subsystem powershell $((Get-Command pwsh).Source) -sshs -NoLogo -NoProfile
"@
            Add-Content "$keys/ssh_config" "Host $name", 'HostName 127.0.0.1', "Port $port", 'User root', "IdentityFile $keys/user",
                'StrictHostKeyChecking no', "UserKnownHostsFile $keys/known_hosts", 'LogLevel ERROR'
            Start-Process unshare '--mount', 'sh', '-c', "`"mount --bind $folder /srv && exec $((Get-Command sshd).Source) -D -e -f $keys/$name`"" -PassThru -RedirectStandardError "$keys/$name.log"
            $port++
        }

        Set-Content "$keys/ssh" '#!/bin/sh', "exec $((Get-Command ssh).Source) -F $keys/ssh_config `"`$@`""
        chmod +x "$keys/ssh"
        foreach ($name in 'web1', 'web2') {
            for ($wait = 0; $wait -lt 200 -and -not (Select-String 'Server listening' "$keys/$name.log" -Quiet); $wait++) {
                Start-Sleep -Milliseconds 50
            }
        }
    }

    AfterAll {
        Stop-Process $daemons
    }

    It 'show what they do' {
        $transcripts = foreach ($source in Get-DocumentedPage $checkout) {
            Get-Transcript $source | Where-Object { $_.Steps.Command -match '-HostName' }
        }

        $transcripts.Count | Should -BeGreaterThan 0
        $path = $env:PATH
        $env:PATH = "${keys}:$path"
        try {
            $results = Invoke-Transcript $transcripts $checkout
        } finally {
            $env:PATH = $path
        }

        foreach ($step in $results) {
            $step.Actual | Should -Be $step.Expected -Because "that is what is shown below '$($step.Command)'"
        }
    }
}
