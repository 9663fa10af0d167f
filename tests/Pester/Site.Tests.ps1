BeforeDiscovery {
    $cmdlets = (Import-PowerShellDataFile "$PSScriptRoot/../../BtrfsClone.psd1").CmdletsToExport
}

BeforeAll {
    Import-Module "$PSScriptRoot/Scratch.psm1"
    $checkout = (Resolve-Path "$PSScriptRoot/../..").Path
    Import-Module "$checkout/BtrfsClone.psd1"
    $site = "$checkout/out/site"
    $null = Invoke-Tool pwsh -NoProfile -File "$checkout/build.ps1" Site
}

Describe 'The site' {
    It 'has the page of <_> where Get-Help -Online looks for it' -ForEach $cmdlets {
        $address = (Import-PowerShellDataFile "$checkout/BtrfsClone.psd1").PrivateData.PSData.ProjectUri
        $address | Should -Match '^https://.*/$'
        $page = (Get-Command $_).HelpUri
        $page | Should -BeLike "$address*"
        "$site/$($page.Substring($address.Length))" | Should -FileContentMatch "<h1 id=`"[^`"]+`">$_</h1>"
    }

    It 'has what the gallery takes from it: <_>' -ForEach 'IconUri', 'ReleaseNotes' {
        $data = (Import-PowerShellDataFile "$checkout/BtrfsClone.psd1").PrivateData.PSData
        $data[$_] | Should -BeLike "$($data.ProjectUri)?*"
        "$site/$($data[$_].Substring($data.ProjectUri.Length))" | Should -Exist
    }

    It 'shows every page of docs in a menu' {
        $menus = Get-Content "$site/toc.json", "$site/help/toc.json" -Raw
        $pages = Get-Item "$checkout/docs/*.md", "$checkout/docs/help/*.md" | Where-Object Name -NE 'index.md'
        $pages | ForEach-Object { "`"$($_.BaseName).html`"" } | Where-Object { -not "$menus".Contains($_) } | Should -BeNullOrEmpty
    }

    It 'has every file and every heading that its pages link to' {
        $ids = @{}
        $pages = Get-ChildItem $site -Recurse -Filter *.html
        $pages | ForEach-Object {
            $ids[$_.FullName] = [regex]::Matches([IO.File]::ReadAllText($_.FullName), '\s(?:id|name)="([^"]+)"') | ForEach-Object { $_.Groups[1].Value }
        }
        $broken = foreach ($page in $pages) {
            foreach ($link in [regex]::Matches([IO.File]::ReadAllText($page.FullName), '\s(?:href|src)="([^"]*)"')) {
                $target, $anchor = [Net.WebUtility]::HtmlDecode($link.Groups[1].Value) -split '#', 2
                if ($target -notmatch '^(https?|mailto|data):') {
                    $file = $target ? [IO.Path]::GetFullPath([Uri]::UnescapeDataString($target), $page.DirectoryName) : $page.FullName
                    if (-not [IO.File]::Exists($file) -or ($anchor -and [Uri]::UnescapeDataString($anchor) -cnotin $ids[$file])) {
                        "$($page.FullName): $($link.Groups[1].Value)"
                    }
                }
            }
        }
        $broken | Should -BeNullOrEmpty
        $ids.Keys | Should -Contain "$site/api/BtrfsClone.Cloning.CloneSession.html"
    }

    It 'is not made of a page with a link that leads nowhere: <Link>' -ForEach @(
        @{ Link = 'nowhere.md' }
        @{ Link = 'moving.md#nowhere' }
    ) {
        $copy = New-ScratchFolder
        Invoke-Tool sh -c 'tar -C "$0" --exclude=.git --exclude=bin --exclude=obj --exclude=out/ci --exclude=out/results --exclude=out/site -c . | tar -C "$1" -x' $checkout $copy
        Add-Content "$copy/docs/sending.md" "`n[Nowhere]($Link)"
        Push-Location "$copy/docs"
        try {
            $output = dotnet docfx build ../docfx.json --warningsAsErrors
            $LASTEXITCODE | Should -Not -Be 0
            $output -match ': warning ' | Should -HaveCount 1
            $output -match ': warning ' | Should -BeLike "*sending.md*nowhere*"
        } finally {
            Pop-Location
        }
    }
}
