$ErrorActionPreference = 'Stop'
"PowerShell $($PSVersionTable.PSVersion), $([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)"
Import-Module /checkout/BtrfsClone.psd1
Set-Location /data
$null = New-Item -ItemType Directory vm
dd if=/dev/urandom of=vm/disk.img bs=1M count=16 conv=fsync status=none
Copy-BtrfsItem vm vm-test -PassThru | Out-String
Test-BtrfsClone vm vm-test
dd if=/dev/urandom of=vm-test/disk.img bs=64k count=1 seek=99 conv=notrunc,fsync status=none
Compare-BtrfsItem vm vm-test | Out-String
Get-BtrfsExtent vm-test/disk.img | Show-BtrfsExtentMap -Width 80
Get-BtrfsExtent vm/disk.img -Offset 0 -Length 1 | Get-BtrfsExtentOwner | Format-Table Offset, Length, Path | Out-String
Sync-BtrfsItem vm vm-test | Out-Null
Measure-BtrfsItem vm, vm-test | Out-String
$null = New-Item -ItemType Directory vm-restored
dd if=vm/disk.img of=vm-restored/disk.img bs=1M conv=fsync status=none
Merge-BtrfsItem vm vm-restored | Out-String
Find-BtrfsDuplicate . | Out-String
cmp vm/disk.img vm-test/disk.img
filefrag -v vm/disk.img vm-test/disk.img
