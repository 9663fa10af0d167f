<#
    What the tests of the cmdlets share: a scratch btrfs, trees to clone, and witnesses that know nothing of the module.

    The file system is an image on a loop device, made when first needed, once for a run; or, where
    BTRFSCLONE_TEST_DIR names a folder on btrfs, a folder of its own in there. The latter needs no privileges.
#>
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:root = $null
$script:mountPoint = $null
$script:lock = $null
$script:folders = 0

function Initialize-Scratch {
    $parent = $env:BTRFSCLONE_TEST_DIR ? $env:BTRFSCLONE_TEST_DIR : [IO.Path]::GetTempPath()

    # The kernel drops a lock with its process, however that ends: what it protects is a killed run's.
    foreach ($file in [IO.Directory]::GetFiles($parent, 'btrfs-clone-pester-*.lock')) {
        try {
            $held = [IO.File]::Open($file, 'Open', 'ReadWrite', 'None')
        } catch [IO.IOException], [UnauthorizedAccessException] {
            continue
        }

        Remove-ScratchRoot ($file -replace '\.lock$')
        $held.Dispose()
    }

    $script:root = Join-Path $parent "btrfs-clone-pester-$([IO.Path]::GetRandomFileName().Substring(0, 6))"
    $script:lock = [IO.File]::Open("$script:root.lock", 'CreateNew', 'ReadWrite', 'None')
    $null = New-Item -ItemType Directory $script:root
    if (-not $env:BTRFSCLONE_TEST_DIR) {
        $script:mountPoint = $script:root

        # Where the mount is gone, nothing can be made in its place; and nobody can remove the mount point in a mount
        # namespace that does not show the mount, for which the kernel would unmount it here.
        chattr +i $script:root 2> $null
        $image = "$script:root.img"
        try {
            Invoke-Tool truncate -s 6G $image
            $null = Invoke-Tool mkfs.btrfs -q $image
            Invoke-Tool mount -o 'loop,noatime' $image $script:root
        } finally {
            # The loop device keeps the image for as long as it is mounted.
            Remove-Item -LiteralPath $image
        }
    }

    $null = Register-EngineEvent PowerShell.Exiting -Action { Remove-Scratch }
}

# Runs a program whose failure fails the test, and hands its arguments over untouched: PowerShell would take some of
# them for wildcards. Writes the lines of its output.
function Invoke-Tool {
    $start = [Diagnostics.ProcessStartInfo]::new($args[0], [string[]] @($args | Select-Object -Skip 1))
    $start.WorkingDirectory = (Test-Path -LiteralPath .) ? (Get-Location).ProviderPath : '/'
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    $errors = $process.StandardError.ReadToEndAsync()
    $output = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    if ($process.ExitCode -ne 0) {
        throw "$args ended with $($process.ExitCode): $($errors.Result)"
    }

    if ($output) {
        $output.TrimEnd("`n") -split "`n"
    }
}

# A new empty folder on the scratch btrfs.
function New-ScratchFolder {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param()

    if (-not $script:root) {
        Initialize-Scratch
    } elseif ($script:mountPoint -and -not (Test-Mounted $script:mountPoint)) {
        # One test says so; those after it get another one, and are not to fail for the same.
        $lost = $script:mountPoint
        Remove-Scratch
        throw "The scratch filesystem was unmounted from $lost while the tests ran, and not by them. Tests before this one may have failed for that alone."
    }

    $script:folders++
    (New-Item -ItemType Directory (Join-Path $script:root "folder$script:folders")).FullName
}

function Remove-Scratch {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param()

    if ($script:root) {
        Remove-ScratchRoot $script:root
        $script:lock.Dispose()
    }

    $script:root = $script:mountPoint = $script:lock = $null
}

function Remove-ScratchRoot {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([string] $Path)

    if (Test-Mounted $Path) {
        umount --lazy $Path
    }

    chattr -R -f -i -a $Path 2> $null
    chmod -R -f u+rwX $Path
    rm -rf --one-file-system $Path "$Path.img" "$Path.lock"
}

function Test-Mounted {
    param([string] $Path)

    mountpoint --quiet $Path
    $LASTEXITCODE -eq 0
}

function Test-Root {
    (id -u) -eq '0'
}

# A small tree with every kind of entry and awkward names. What needs root is left out without it.
function New-Tree {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([string] $Path = (Join-Path (New-ScratchFolder) 'src'))

    Invoke-Tool sh "$PSScriptRoot/make-tree.sh" $Path
    $Path
}

# Every field and every physical extent of every entry below two folders; what differs, or nothing.
function Compare-Tree {
    param([string] $Expected, [string] $Actual)

    $atime = $script:mountPoint ? 'atime' : ''
    $states = foreach ($path in $Expected, $Actual) {
        $state = [IO.Path]::GetTempFileName()
        sh -c 'exec sh "$0" "$1" "$2" > "$3" 2>&1' "$PSScriptRoot/tree-state.sh" $path $atime $state
        $state
    }

    if (-not (Select-String -LiteralPath $states[0] -SimpleMatch 'extents found' -Quiet)) {
        throw "No file was found below '$Expected'."
    }

    diff --text $states[0] $states[1]
    Remove-Item -LiteralPath $states
}

# The names of all entries below a folder, sorted, relative to it.
function Get-EntryName {
    param([string] $Path)

    Invoke-Tool find $Path -mindepth 1 -printf '%P\n' | Sort-Object -CaseSensitive
}

# Writes a new file of random bytes that lies in one extent. Its room is reserved first: on a machine that is short of
# memory the kernel may start to write out what is half written, and would find a place for each half.
function New-OneExtentFile {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([string] $Path, [long] $Length)

    Invoke-Tool fallocate --length $Length $Path
    Invoke-Tool dd if=/dev/urandom of=$Path bs=$Length count=1 iflag=fullblock conv='notrunc,fsync' status=none
}

# The physical ranges of a file, as filefrag tells them.
function Get-PhysicalRange {
    param([string] $Path)

    sync $Path
    Invoke-Tool filefrag -v $Path | Select-String '^\s*\d+:' | ForEach-Object { ($_.Line -split ':')[1..3] -join ':' }
}

# Bytes of data that the scratch file system holds on disk.
function Get-DataUsed {
    param([string] $Path)

    # Subvolumes of tests before may still be about to give back what they held.
    $null = Invoke-Tool btrfs filesystem sync $Path
    $null = Invoke-Tool btrfs subvolume sync $Path
    $null = Invoke-Tool btrfs filesystem sync $Path
    [long] ((Invoke-Tool btrfs filesystem df --raw $Path | Select-String '^Data.*used=(\d+)').Matches[0].Groups[1].Value)
}

# Runs a command as an ordinary user in a new pwsh that has the module loaded. The test is skipped where that user cannot read the module.
function Invoke-AsUser {
    param([string] $Command)

    $manifest = (Get-Module BtrfsClone).Path -replace 'bin/[^/]*$', 'BtrfsClone.psd1'
    $user = '--reuid', '65534', '--regid', '65534', '--clear-groups'
    setpriv @user test -r $manifest
    if ($LASTEXITCODE -ne 0) {
        Set-ItResult -Skipped -Because "another user cannot read $manifest"
    }

    setpriv @user env HOME=/nonexistent pwsh -NoProfile -NonInteractive -Command "Import-Module '$manifest'; $Command"
}

$ExecutionContext.SessionState.Module.OnRemove = { Remove-Scratch }
Export-ModuleMember -Function *-*
